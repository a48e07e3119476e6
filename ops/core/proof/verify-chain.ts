import { hasCode } from '#shared/system-error'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  bundleKinds,
  stateOf,
  type BundleKind,
  type BundleVerification,
  type ChainHead,
  type ChainVerification,
  type ProofProblem,
  type ProofProblemCode,
} from '#shared/proof'
import { runIdPattern } from '#shared/ids'
import type { TrustedKeys } from '#ops/core/trust/trusted-keys'
import { resolvePending } from './chain-head.ts'
import { verifyBundle } from './verify-bundle.ts'

/** A point of a chain that somebody remembers: the chain file of this side, or HQ's witness. */
export interface Remembered {
  readonly chain: string
  readonly counter: number
  readonly head: string
  /** Names who remembers. */ readonly by: string
}

export interface ChainQuestion {
  readonly keys: TrustedKeys
  /** Which folders of the artifacts hold this chain. Laptop: `['ship']`. Host: the others. */
  readonly kinds: readonly BundleKind[]
  readonly remembered?: readonly Remembered[]
  /**
   * False for copies, of which some may be missing: a host's ships. Then gaps are allowed, contradictions
   * are not.
   */
  readonly complete?: boolean
}

/** The bundles of a host's own chain. */
export const hostKinds: readonly BundleKind[] = bundleKinds.filter((kind) => kind !== 'ship')

/** What the chain file of this side remembers: its chain, and those that ended before. */
export function rememberedBy(head: ChainHead, by: string): Remembered[] {
  const { chain, counter, head: digest, closed } = resolvePending(head)
  return [
    ...closed.map((each) => ({ chain: each.chain, counter: each.counter, head: each.head, by })),
    ...(counter > 0 && digest !== null ? [{ chain, counter, head: digest, by }] : []),
  ]
}

/** Folders of bundles below `root`, oldest first. */
export function bundleFolders(root: string, kinds: readonly BundleKind[]): string[] {
  return kinds
    .flatMap((kind) => {
      try {
        return readdirSync(join(root, kind), { withFileTypes: true })
          .filter((entry) => entry.isDirectory() && runIdPattern.test(entry.name))
          .map(({ name }) => ({ name, dir: join(root, kind, name) }))
      } catch (error) {
        if (hasCode(error, 'ENOENT')) return [] // no run of this kind yet
        throw error
      }
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ dir }) => dir)
}

/**
 * Are all bundles below `root` what was sealed, and is none missing, swapped or replaced? Names each problem; never
 * throws for a bad bundle.
 */
export async function verifyChain(
  root: string,
  question: ChainQuestion,
): Promise<ChainVerification> {
  const bundles: BundleVerification[] = []
  for (const dir of bundleFolders(root, question.kinds))
    bundles.push(await verifyBundle(dir, question))
  return checkChain(bundles, question)
}

/** The same for bundles that were read already. */
export function checkChain(
  bundles: readonly BundleVerification[],
  question: Pick<ChainQuestion, 'remembered' | 'complete'>,
): ChainVerification {
  const problems = [
    ...bundles.flatMap((bundle) => bundle.problems),
    ...orderProblems(bundles, question),
  ]
  return { state: stateOf(problems), problems, bundles: [...bundles] }
}

/** What is wrong between the bundles: gaps, repeats, another order, and what somebody remembers otherwise. */
export function orderProblems(
  bundles: readonly BundleVerification[],
  { remembered = [], complete = true }: Pick<ChainQuestion, 'remembered' | 'complete'>,
): ProofProblem[] {
  const order: ProofProblem[] = []
  const chains = Map.groupBy(
    bundles.filter((bundle) => bundle.chain !== null),
    (bundle) => bundle.chain,
  )
  for (const links of chains.values())
    order.push(
      ...checkOrder(
        links.toSorted((a, b) => (a.counter ?? 0) - (b.counter ?? 0)),
        complete,
      ),
    )
  for (const point of remembered)
    order.push(...checkRemembered(chains.get(point.chain) ?? [], point, complete))
  return order
}

const problem = (code: ProofProblemCode, run_id: string | null, detail: string): ProofProblem => ({
  code,
  run_id,
  file: null,
  detail,
})

/** @param links bundles of one chain, by counter */
function checkOrder(links: readonly BundleVerification[], complete: boolean): ProofProblem[] {
  const problems: ProofProblem[] = []
  let before: BundleVerification | null = null
  for (const link of links) {
    const counter = link.counter ?? 0
    const last = before?.counter ?? 0
    if (before !== null && counter === last)
      problems.push(
        problem(
          'counter_repeated',
          link.run_id,
          `it has number ${counter}, and so has ${before.run_id}`,
        ),
      )
    else if (counter === last + 1) {
      const expected = before?.manifest_sha256 ?? null
      if (link.previous !== expected)
        problems.push(
          problem(
            'order_swapped',
            link.run_id,
            before === null
              ? 'it is the first, but names an earlier one'
              : `it does not follow the present manifest of ${before.run_id}`,
          ),
        )
    } else if (complete)
      problems.push(
        problem(
          'chain_gap',
          link.run_id,
          last + 1 === counter - 1
            ? `number ${last + 1} before it is missing`
            : `numbers ${last + 1} to ${counter - 1} before it are missing`,
        ),
      )
    if (before !== null && before.key_id !== link.key_id)
      problems.push(
        problem(
          'key_changed',
          link.run_id,
          `it is signed with key ${link.key_id}, the one before it with ${before.key_id}`,
        ),
      )
    before = link
  }
  return problems
}

function checkRemembered(
  links: readonly BundleVerification[],
  { chain, counter, head, by }: Remembered,
  complete: boolean,
): ProofProblem[] {
  const newest = Math.max(0, ...links.map((link) => link.counter ?? 0))
  const at = links.filter((link) => link.counter === counter)
  if (at.length === 0) {
    if (!complete) return []
    const end = newest === 0 ? 'the chain has no bundle' : `the chain ends at ${newest}`
    return [
      problem(
        'chain_truncated',
        null,
        `${by} has seen number ${counter} of chain ${chain}; ${end}`,
      ),
    ]
  }
  return at
    .filter((link) => link.manifest_sha256 !== head)
    .map((link) =>
      problem(
        'head_replaced',
        link.run_id,
        `it is number ${counter}, but not the bundle that ${by} has seen`,
      ),
    )
}

import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { z } from 'zod'
import { maxListedProblems, type ProofBundlesReply } from '#shared/api'
import type { Input, Output, ProofRow } from '#shared/bridge'
import { toProblem } from '#shared/errors'
import { timestamp } from '#shared/ids'
import { bundleVerification, type BundleVerification, type WitnessedLink } from '#shared/proof'
import { readJson, writeJson } from '#ops/base/files/json-file'
import { trustKeys } from '#ops/core/trust/trusted-keys'
import { cachedVerifier } from '#ops/core/proof/cached-verify'
import { readProofPublicKey } from '#ops/core/proof/proof-key'
import { laptopProofPaths } from '#ops/base/paths/proof-paths'
import { readWitness } from '#ops/core/proof/witness'
import { readSeen } from '#ops/core/proof/witness-seen'
import { hostClient, type HostTarget } from '../host/client.ts'
import { shipWitness, type ProofWatch } from './watch.ts'
import { shipFolder, shipIds } from '../ships/folder.ts'

interface ProofsOptions {
  readonly home: string
  readonly watch: ProofWatch
  readonly repository: () => string | null
  readonly host: () => string | null
  /** null while the host is away. */
  readonly target: () => Promise<HostTarget | null>
  readonly isRunning: (repository: string, id: string) => boolean
  /** Runs of the host that have not ended, as far as is known. */
  readonly active: () => ReadonlySet<string>
  readonly log: (text: string) => void
}

const pageLength = 30
/** What the host said of its newest bundles, kept for when it is away. */
const cached = z.strictObject({
  schema_version: z.literal(1),
  host: z.string(),
  as_of: timestamp,
  bundles: z.array(bundleVerification),
})
const cacheFile = (home: string, host: string): string =>
  join(home, 'cache', `proofs-${createHash('sha256').update(host).digest('hex').slice(0, 16)}.json`)

interface HostPage {
  readonly bundles: readonly BundleVerification[]
  readonly next: string | null
  readonly as_of: string | null
  readonly detail: string | null
}
const noHost: HostPage = { bundles: [], next: null, as_of: null, detail: null }

/** What the Proofs page shows: each bundle as laptop and host find it, and when the witness saw it. */
export function proofsOf(
  options: ProofsOptions,
): (input: Input<'proofs.list'>) => Promise<Output<'proofs.list'>> {
  const { home, watch, log } = options
  const verify = cachedVerifier(() => {
    const own = readProofPublicKey(laptopProofPaths(home, ''))
    return trustKeys(own === null ? [] : [own], 'the ship key')
  })

  const keep = (host: string, { bundles }: ProofBundlesReply, as_of: string): void => {
    try {
      writeJson(cacheFile(home, host), { schema_version: 1, host, as_of, bundles }, { mode: 0o600 })
    } catch (error) {
      log(`The last proofs of ${host} could not be kept: ${String(error)}`)
    }
  }
  const kept = (host: string, detail: string): HostPage => {
    try {
      const known = readJson(cacheFile(home, host), cached, 'internal_error')
      return known === undefined
        ? { ...noHost, detail }
        : { bundles: known.bundles, next: null, as_of: known.as_of, detail }
    } catch {
      return { ...noHost, detail } // another version wrote it, or it is damaged: it is a copy
    }
  }
  const hostPage = async (host: string | null, cursor: string | undefined): Promise<HostPage> => {
    if (host === null) return noHost
    try {
      const target = await options.target()
      if (target === null) return kept(host, `${host} cannot be reached.`)
      const reply = await hostClient(async () => target).proofBundles(
        { cursor, limit: pageLength },
        { limitMs: 30_000 },
      )
      const as_of = new Date().toISOString()
      if (cursor === undefined) keep(host, reply, as_of)
      return { bundles: reply.bundles, next: reply.next_cursor, as_of, detail: null }
    } catch (error) {
      return kept(host, toProblem(error).message)
    }
  }

  /** By chain and number, for the bundles at hand and, while the host is away, for the newest that were seen. */
  const seenBy = (
    witness: string,
    bundles: readonly (BundleVerification | null)[],
    newest: boolean,
  ): WitnessedLink[] => {
    try {
      const seen: WitnessedLink[] = []
      const placed = bundles.flatMap((bundle) =>
        bundle !== null && bundle.chain !== null && bundle.counter !== null
          ? [{ chain: bundle.chain, counter: bundle.counter }]
          : [],
      )
      for (const [chain, each] of Map.groupBy(placed, ({ chain: of }) => of)) {
        const counters = each.map(({ counter }) => counter)
        const range = { from: Math.min(...counters), to: Math.max(...counters) }
        seen.push(...readSeen({ home, host: witness, chain }, range))
      }
      const last = newest ? readWitness(home, witness) : null
      if (last !== null)
        seen.push(
          ...readSeen(
            { home, host: witness, chain: last.chain },
            { from: Math.max(1, last.counter - pageLength + 1), to: last.counter },
          ),
        )
      return seen
    } catch {
      return [] // damaged: the witness raises that as an alarm, and nothing is claimed here
    }
  }

  return async ({ cursor }) => {
    const repository = options.repository()
    const host = options.host()
    const page = await hostPage(host, cursor)
    const away = host !== null && page.detail !== null
    const seen = host === null ? [] : seenBy(host, page.bundles, away && cursor === undefined)
    const rows = new Map<string, ProofRow>()
    const rowOf = (kind: ProofRow['kind'], run_id: string): ProofRow => {
      const key = `${run_id} ${kind}`
      const row = rows.get(key) ?? {
        kind,
        run_id,
        running: false,
        laptop: null,
        host: null,
        witnessed: null,
      }
      rows.set(key, row)
      return row
    }
    const wanted = (id: string): boolean => cursor === undefined || id < cursor
    const reaches = (id: string): boolean => wanted(id) && (page.next === null || id >= page.next)
    for (const bundle of page.bundles)
      if (bundle.kind !== null && wanted(bundle.run_id))
        rowOf(bundle.kind, bundle.run_id).host = brief(bundle)
    for (const link of seen)
      if (wanted(link.run_id) && (away || rows.has(`${link.run_id} ${link.kind}`)))
        rowOf(link.kind, link.run_id)
    const ships = repository === null ? [] : shipIds(repository).filter(reaches)
    const local = ships.slice(0, pageLength)
    for (const id of local) rowOf('ship', id)

    const sorted = [...rows.values()].toSorted(
      (a, b) => b.run_id.localeCompare(a.run_id) || a.kind.localeCompare(b.kind),
    )
    let end = Math.min(pageLength, sorted.length)
    while (end < sorted.length && sorted[end]?.run_id === sorted[end - 1]?.run_id) end += 1
    const bundles = sorted.slice(0, end)
    const found = new Map<string, BundleVerification>()
    const active = options.active()
    for (const row of bundles) {
      row.running = row.kind !== 'ship' && active.has(row.run_id)
      if (repository === null || row.kind !== 'ship' || !local.includes(row.run_id)) continue
      row.running = options.isRunning(repository, row.run_id)
      const checked = await verify(shipFolder(repository, row.run_id))
      found.set(row.run_id, checked)
      row.laptop = brief(checked)
      await turn() // HQ stays quick while much is read
    }
    const shipsSeen =
      repository === null ? [] : seenBy(shipWitness(repository), [...found.values()], false)
    for (const row of bundles) {
      const link = (row.kind === 'ship' ? shipsSeen : seen).find(
        ({ kind, run_id }) => kind === row.kind && run_id === row.run_id,
      )
      const now = row.kind === 'ship' ? row.laptop : row.host
      if (link !== undefined)
        row.witnessed = {
          counter: link.counter,
          seen_at: link.seen_at,
          pruned: link.pruned,
          same:
            now === null || now.manifest_sha256 === null
              ? null
              : now.manifest_sha256 === link.manifest_sha256,
        }
    }
    const more = end < sorted.length || page.next !== null || ships.length > local.length
    return {
      witnesses: watch.views(),
      bundles,
      next_cursor: more ? (bundles.at(-1)?.run_id ?? null) : null,
      host: host === null ? null : { name: host, as_of: page.as_of, detail: page.detail },
    }
  }
}

const brief = ({
  state,
  problems,
  files,
  pruned,
  counter,
  key_id,
  manifest_sha256,
  created_at,
}: BundleVerification): ProofRow['laptop'] => ({
  state,
  problems: problems.slice(0, maxListedProblems),
  files,
  pruned,
  counter,
  key_id,
  manifest_sha256,
  created_at,
})

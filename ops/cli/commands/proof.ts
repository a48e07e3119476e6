import { existsSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { hasCode } from '#shared/system-error'
import { runIdPattern } from '#shared/ids'
import { bundleKinds, stateOf, type ChainVerification } from '#shared/proof'
import { exitUsage } from '#ops/core/pipeline/exit-codes'
import { hostPaths, hqHome } from '#ops/base/paths/paths'
import { keysFor, knownKeys, knownPoints, type VerifierPaths } from '#ops/core/proof/known-keys'
import { describeProof } from '#ops/core/proof/describe'
import { bundlesOfRun } from '#ops/core/proof/find-bundles'
import { kindOf, verifyBundle } from '#ops/core/proof/verify-bundle'
import { bundleFolders, hostKinds, orderProblems, verifyChain } from '#ops/core/proof/verify-chain'

interface VerifyOptions {
  readonly pathOrRunId: string
  readonly json?: boolean
}

/** What to verify: one bundle, or every bundle of an artifacts folder. */
type Found = { readonly bundle: string } | { readonly root: string }

/**
 * `hq proof verify PATH|RUN_ID`: checks that a proof is as it was sealed and that its chain is complete.
 * @returns 0 when everything is verified, 1 when something is unverified or broken, 64 when there is no such proof
 */
export async function run({ pathOrRunId: target, json = false }: VerifyOptions): Promise<number> {
  const paths: VerifierPaths = { host: hostPaths(), home: hqHome() }
  const found = find(target, paths)
  if (found.length === 0) {
    process.stderr.write(
      [
        `There is no proof ${JSON.stringify(target.slice(0, 200))}: name the folder of a bundle, `,
        'an artifacts folder, or a run id of this host, of the current repository, ',
        'or of the repository that HQ ships.\n',
      ].join(''),
    )
    return exitUsage
  }
  const checked: ChainVerification[] = []
  for (const each of found)
    checked.push(
      'bundle' in each
        ? await verifyInChain(each.bundle, paths)
        : await verifyAll(each.root, paths),
    )
  const problems = checked.flatMap((each) => each.problems)
  const all: ChainVerification = {
    state: stateOf(problems),
    problems,
    bundles: checked.flatMap((each) => each.bundles),
  }
  process.stdout.write(json ? `${JSON.stringify(all, null, 2)}\n` : describeProof(all))
  return all.state === 'verified' ? 0 : 1
}

function find(target: string, { host, home }: VerifierPaths): Found[] {
  if (runIdPattern.test(target))
    return bundlesOfRun(target, { host, home }).map((bundle) => ({ bundle }))
  const path = resolve(target)
  if (!isFolder(path)) return []
  if (runIdPattern.test(basename(path))) return [{ bundle: path }]
  // The artifacts folder of a host counts even when it is empty: the chain file names the missing bundles.
  const isArtifacts =
    bundleKinds.some((kind) => existsSync(join(path, kind))) || path === host.artifacts
  return isArtifacts ? [{ root: realpathSync(path) }] : []
}

/** Text that cannot name a file, or not one that this user reaches, names no folder. */
function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP', 'EACCES')) return false
    throw error
  }
}

/** Verifies every bundle of an artifacts folder: the whole chain of this side, and the copies of the other side. */
async function verifyAll(root: string, paths: VerifierPaths): Promise<ChainVerification> {
  const keys = knownKeys(paths)
  const { bundles: ships } = await verifyChain(root, { keys: keys.ship, kinds: ['ship'] })
  const { bundles: own } = await verifyChain(root, { keys: keys.host, kinds: hostKinds })
  const bundles = [...own, ...ships]
  const points = knownPoints(paths, root, new Set(bundles.flatMap(({ chain }) => chain ?? [])))
  const shipChains = new Set(ships.flatMap(({ chain }) => chain ?? []))
  const problems = [
    ...bundles.flatMap((bundle) => bundle.problems),
    ...orderProblems(own, { remembered: points.filter(({ chain }) => !shipChains.has(chain)) }),
    ...orderProblems(ships, {
      remembered: points.filter(({ chain }) => shipChains.has(chain)),
      complete: !isHostRoot(root, paths),
    }),
  ]
  return { state: stateOf(problems), problems, bundles }
}

/** A host holds copies of the ships that were uploaded to it, not every ship of a laptop. */
const isHostRoot = (root: string, { host }: VerifierPaths): boolean =>
  existsSync(host.artifacts) && realpathSync(root) === realpathSync(host.artifacts)

/** Verifies one bundle with all its bytes, and its position in the chain by the manifests of the others. */
async function verifyInChain(bundle: string, paths: VerifierPaths): Promise<ChainVerification> {
  const dir = realpathSync(bundle)
  const kind = kindOf(dir)
  const keys = keysFor(kind, knownKeys(paths))
  const mine = await verifyBundle(dir, { keys })
  const problems = [...mine.problems]
  if (kind !== null && mine.chain !== null) {
    const root = dirname(dirname(dir))
    const others = bundleFolders(root, kind === 'ship' ? ['ship'] : hostKinds).filter(
      (each) => each !== dir,
    )
    const links = [mine]
    for (const each of others) links.push(await verifyBundle(each, { keys, contents: false }))
    const remembered = knownPoints(paths, root, new Set([mine.chain])).filter(
      ({ chain }) => chain === mine.chain,
    )
    problems.push(
      ...orderProblems(
        links.filter(({ chain }) => chain === mine.chain),
        { remembered, complete: kind !== 'ship' || !isHostRoot(root, paths) },
      ),
    )
  }
  return { state: stateOf(problems), problems, bundles: [mine] }
}

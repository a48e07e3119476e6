import { existsSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { runIdPattern } from '#shared/ids'
import { bundleKinds, stateOf, type ChainVerification } from '#shared/proof'
import { exitUsage } from '#ops/core/pipeline/exit-codes'
import { hostPaths, hqHome } from '#ops/base/paths/paths'
import { keysFor, knownKeys, knownPoints, type VerifierPaths } from '#ops/core/proof/known-keys'
import { describeProof } from '#ops/core/proof/describe'
import { readOperatorSettings } from '#ops/core/config/settings-files'
import { kindOf, verifyBundle } from '#ops/core/proof/verify-bundle'
import { bundleFolders, hostKinds, orderProblems, verifyChain } from '#ops/core/proof/verify-chain'

interface VerifyOptions {
  readonly pathOrRunId: string
  readonly json?: boolean
}

/** A place to verify: one bundle, or all below an artifacts folder. */
type Found = { readonly bundle: string } | { readonly root: string }

/**
 * `hq proof verify PATH|RUN_ID`: is the proof what was sealed, and is its chain whole?
 * @returns 0 when everything is verified, 1 when something is unverified or broken, 64 when there is nothing of that name
 */
export async function run({ pathOrRunId: target, json = false }: VerifyOptions): Promise<number> {
  const places: VerifierPaths = { host: hostPaths(), home: hqHome() }
  const found = find(target, places)
  if (found.length === 0) {
    process.stderr.write(
      `There is no proof ${JSON.stringify(target)}: give the folder of a bundle, an artifacts folder, or a run id of this host, of the repository here or of the one that HQ ships.\n`,
    )
    return exitUsage
  }
  const checked: ChainVerification[] = []
  for (const each of found)
    checked.push(
      'bundle' in each
        ? await verifyInChain(each.bundle, places)
        : await verifyAll(each.root, places),
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
  if (runIdPattern.test(target)) {
    const { repository } = readOperatorSettings(home)
    const roots = new Set(
      [
        host.artifacts,
        join(process.cwd(), 'artifacts'),
        ...(repository === null ? [] : [join(repository, 'artifacts')]),
      ]
        .filter((root) => existsSync(root))
        .map((root) => realpathSync(root)),
    )
    return [...roots]
      .flatMap((root) => bundleKinds.map((kind) => join(root, kind, target)))
      .filter((dir) => existsSync(dir))
      .map((bundle) => ({ bundle }))
  }
  const path = resolve(target)
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return []
  if (runIdPattern.test(basename(path))) return [{ bundle: path }]
  // The artifacts of a host count as such also when everything was taken out of them: its chain file knows better.
  const isArtifacts =
    bundleKinds.some((kind) => existsSync(join(path, kind))) || path === host.artifacts
  return isArtifacts ? [{ root: realpathSync(path) }] : []
}

/** Every bundle below an artifacts folder: this side's own chain whole, copies of the other's as far as they are there. */
async function verifyAll(root: string, places: VerifierPaths): Promise<ChainVerification> {
  const keys = knownKeys(places)
  const { bundles: ships } = await verifyChain(root, { keys: keys.ship, kinds: ['ship'] })
  const { bundles: own } = await verifyChain(root, { keys: keys.host, kinds: hostKinds })
  const bundles = [...own, ...ships]
  const points = knownPoints(places, root, new Set(bundles.flatMap(({ chain }) => chain ?? [])))
  const shipChains = new Set(ships.flatMap(({ chain }) => chain ?? []))
  const problems = [
    ...bundles.flatMap((bundle) => bundle.problems),
    ...orderProblems(own, { remembered: points.filter(({ chain }) => !shipChains.has(chain)) }),
    ...orderProblems(ships, {
      remembered: points.filter(({ chain }) => shipChains.has(chain)),
      complete: !isHostRoot(root, places),
    }),
  ]
  return { state: stateOf(problems), problems, bundles }
}

/** A host holds copies of the ships that were uploaded to it, not all of a laptop's. */
const isHostRoot = (root: string, { host }: VerifierPaths): boolean =>
  existsSync(host.artifacts) && realpathSync(root) === realpathSync(host.artifacts)

/** One bundle with all its bytes, and its place in its chain by the manifests of the others. */
async function verifyInChain(bundle: string, places: VerifierPaths): Promise<ChainVerification> {
  const dir = realpathSync(bundle)
  const kind = kindOf(dir)
  const keys = keysFor(kind, knownKeys(places))
  const mine = await verifyBundle(dir, { keys })
  const problems = [...mine.problems]
  if (kind !== null && mine.chain !== null) {
    const root = dirname(dirname(dir))
    const others = bundleFolders(root, kind === 'ship' ? ['ship'] : hostKinds).filter(
      (each) => each !== dir,
    )
    const links = [mine]
    for (const each of others) links.push(await verifyBundle(each, { keys, contents: false }))
    const remembered = knownPoints(places, root, new Set([mine.chain])).filter(
      ({ chain }) => chain === mine.chain,
    )
    problems.push(
      ...orderProblems(
        links.filter(({ chain }) => chain === mine.chain),
        { remembered, complete: kind !== 'ship' || !isHostRoot(root, places) },
      ),
    )
  }
  return { state: stateOf(problems), problems, bundles: [mine] }
}

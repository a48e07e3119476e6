// Proves that origin takes a verdict as the push will bring it, before a test or a review has run.
import { Problem, toProblem } from '#shared/errors'
import { runIdPattern, timeOfRun } from '#shared/ids'
import { statementRefs } from '#shared/statement'
import { reviewRef } from '#shared/verdict'
import type { CommandResult } from '#ops/base/process/command'
import { writeBlob } from '#ops/platform/git/objects'
import { deleteRemoteRefs, lsRemote, pushAtomic } from '#ops/platform/git/remote'
import { listRefs } from '#ops/platform/git/refs'
import { pushRefusal } from '#ops/platform/git/push-refusal'
import { gitReason } from '#ops/platform/git/run-git'
import { shipIds } from '#ops/features/ship/state/proof-folder'
import { remoteName } from '#ops/features/ship/state/ship-facts'
import { refuseBypass } from './bypassed-rules.ts'

/** The throw-away refs lie beside verdicts and statements: what hides or refuses those meets these as well. */
const probePrefix = 'probe-'
const probeFolders = [reviewRef(''), statementRefs]
const probeRefs = (name: string): string[] =>
  probeFolders.map((folder) => `${folder}${probePrefix}${name}`)
/** A probe this old was left by a ship that was killed; milliseconds. */
const leftMs = 3_600_000

interface Probe {
  readonly repo: string
  readonly runId: string
  readonly signal: AbortSignal
  readonly log: (text: string) => void
}

const untouched = 'No test and no review has run; the branch of origin is untouched.'
const unsuitable = (why: string, evidence: readonly string[] = []): Problem =>
  new Problem('origin_unsuitable', `${why} ${untouched}`, { evidence })

/**
 * Pushes throw-away refs the way verdict and statements will be pushed, reads them back from where origin is read, and
 * deletes them. A dry run would prove less: it sends no ref, so a hidden or refused one is not noticed.
 * @throws {Problem} `origin_unsuitable` when origin refuses it or does not show it, is not atomic, or wants or lacks
 *   signed pushes; `push_rejected` when this laptop may not push; `push_bypassed_rule`; `remote_unreachable`
 */
export async function proveOrigin(probe: Probe): Promise<void> {
  const { repo, runId, signal, log } = probe
  const refs = probeRefs(runId)
  const blob = await writeBlob(repo, `A throw-away ref of ship ${runId}. It may be deleted.\n`, {
    signal,
  })
  let taken = false
  try {
    await push(
      probe,
      refs.map((ref) => `${blob}:${ref}`),
    )
    taken = true
    const shown = await lsRemote(repo, { remote: remoteName, refs }, { signal })
    const hidden = refs.filter((ref) => shown.get(ref) !== blob)
    if (hidden.length > 0)
      throw unsuitable(
        `${remoteName} took the throw-away ref ${hidden.join(' and ')} and does not show it: it hides refs below ` +
          'refs/openclaw/, or a push goes to another repository.',
      )
    log(`${remoteName} takes and shows refs beside the verdicts, atomically`)
  } finally {
    await remove(probe, { refs, taken })
  }
}

async function push({ repo, signal, log }: Probe, refs: readonly string[]): Promise<void> {
  const lines: string[] = []
  const pushed = await pushAtomic(
    repo,
    { remote: remoteName, refs },
    {
      signal,
      hooks: false,
      timeLimitSeconds: 120,
      onLine: (text, stream) => {
        if (stream === 'stderr') lines.push(text)
        log(text)
      },
    },
  )
  if (pushed.exitCode !== 0) throw await refusal(repo, pushed)
  refuseBypass(lines, untouched)
}

async function refusal(repo: string, pushed: CommandResult): Promise<Problem> {
  const { by, why, ofRef, evidence } = await pushRefusal(repo, pushed)
  if (pushed.timedOut)
    return new Problem(
      'remote_unreachable',
      `${remoteName} did not answer a trial push in time. ${untouched}`,
      { evidence },
    )
  const lacks = evidence.find((line) =>
    /receiving end does not support --(atomic|signed)/.test(line),
  )
  if (lacks !== undefined)
    return unsuitable(`${remoteName} cannot take the push: ${lacks}.`, evidence)
  if (by === 'remote' && ofRef !== null)
    return unsuitable(
      `${remoteName} refused a throw-away ref beside the verdicts: ${why}.`,
      evidence,
    )
  return new Problem('push_rejected', `${remoteName} refused a trial push: ${why}. ${untouched}`, {
    evidence,
  })
}

interface Pushed {
  readonly refs: readonly string[]
  /** origin said that it has them. It may hide them from readers all the same. */
  readonly taken: boolean
}

/** Deletes this probe, and those that killed ships left. What stays is in the log and in nobody's way. */
async function remove({ repo, log }: Probe, pushed: Pushed): Promise<void> {
  try {
    const stays = await deleteProbes(repo, pushed)
    if (stays !== null) log(stays)
  } catch (error) {
    log(`${pushed.refs.join(', ')} could not be deleted: ${toProblem(error).message}`)
  }
}

/** Without the signal: it must happen after a cancel as well. @returns what could not be deleted, and why */
async function deleteProbes(repo: string, { refs, taken }: Pushed): Promise<string | null> {
  const probes = [...(await listRefs(repo, probeRefs('*'))).keys()]
  const left = probes.filter((ref) => !refs.includes(ref) && isLeft(repo, ref))
  const there = await lsRemote(repo, { remote: remoteName, refs: [...refs, ...left] })
  const due = [
    ...refs.filter((ref) => taken || there.has(ref)),
    ...left.filter((ref) => there.has(ref)),
  ]
  if (due.length === 0) return null
  const deleted = await deleteRemoteRefs(repo, { remote: remoteName, refs: due })
  return deleted.exitCode === 0
    ? null
    : `${due.join(', ')} stays: ${remoteName} refused to delete it: ${gitReason(deleted)}`
}

/** The ship lock is held, so another probe of this repository is of a ship that has ended. */
function isLeft(repo: string, ref: string): boolean {
  const id = ref.slice(ref.lastIndexOf(probePrefix) + probePrefix.length)
  return (
    runIdPattern.test(id) && (shipIds(repo).includes(id) || Date.now() - timeOfRun(id) > leftMs)
  )
}

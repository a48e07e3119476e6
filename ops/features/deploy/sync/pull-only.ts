// Proves that this host can read its remote and cannot write to it.
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { Problem } from '#shared/errors'
import type { CommandResult } from '#ops/base/process/command'
import { temporaryFolder } from '#ops/base/process/run-as'
import { hostGit } from '#ops/platform/git/host-git'
import { shownAddress } from '#ops/platform/git/remote-address'
import { git, gitReason, gitText, type GitOptions } from '#ops/platform/git/run-git'

/** Exit code of a git whose push ended at the handshake. A refused ref is 1, a refused connection also 128. */
const exitHandshake = 128

export interface PullOnlyProof {
  readonly url: string
  readonly detail: string
}

/**
 * For every URL that a push would go to: reading from that very URL works, a push to an unused ref is refused at the
 * handshake, and reading works again. So an unreachable remote never counts as one that refuses. Neither does a git
 * that gives up on its own configuration with the same exit code: first the same push must succeed into an empty
 * repository beside the clone.
 *
 * @param repo the host's clone @param branch branch that must be readable
 * @throws {Problem} `production_can_push`, `push_probe_inconclusive`
 */
export async function provePullOnly(
  repo: string,
  branch: string,
  { signal, log }: { signal?: AbortSignal; log: (text: string) => void },
): Promise<PullOnlyProof[]> {
  const options = {
    ...(await hostGit(repo, signal)),
    timeLimitSeconds: 30,
    errorClass: 'push_probe_inconclusive' as const,
  }
  await gitText(repo, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'], options)
  const urls = (await gitText(repo, ['remote', 'get-url', '--push', '--all', 'origin'], options))
    .split('\n')
    .filter((url) => url !== '')
  if (urls.length === 0)
    throw new Problem('push_probe_inconclusive', 'origin has no URL to push to.')
  await requirePushWorks(repo, options)
  const proofs: PullOnlyProof[] = []
  for (const url of urls) proofs.push(await probe({ repo, url, branch, options }, log))
  return proofs
}

/** One URL of origin that is probed. */
interface Remote {
  readonly repo: string
  readonly url: string
  readonly branch: string
  readonly options: GitOptions
}

/** A dry run to an unused ref. --no-verify: a local hook that refuses would hide what the remote does. */
const dryPush = (repo: string, to: string, options: GitOptions): Promise<CommandResult> =>
  git(
    repo,
    [
      'push',
      '--dry-run',
      '--porcelain',
      '--no-verify',
      '--no-signed',
      '--recurse-submodules=no',
      '--end-of-options',
      to,
      `HEAD:refs/openclaw/push-probe/${randomBytes(8).toString('hex')}`,
    ],
    options,
  )

/**
 * A git that cannot push anywhere proves nothing about the remote: a value of `push.*` that it does not understand ends
 * it before it connects.
 * @throws {Problem} `push_probe_inconclusive`
 */
async function requirePushWorks(
  repo: string,
  options: GitOptions & { errorClass: 'push_probe_inconclusive' },
): Promise<void> {
  const folder = temporaryFolder('push-probe', options.as)
  try {
    await gitText(folder, ['init', '--quiet', '--bare', '--template='], options)
    const pushed = await dryPush(repo, folder, {
      ...options,
      env: { ...options.env, GIT_ALLOW_PROTOCOL: 'file' },
    })
    if (pushed.exitCode === 0) return
    const evidence = pushed.stderrTail.split('\n')
    throw new Problem(
      'push_probe_inconclusive',
      `git cannot push from ${repo} to anywhere (${evidence[0] ?? 'no reason given'}), ` +
        'so a refused push proves nothing about origin.',
      { evidence },
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function probe(remote: Remote, log: (text: string) => void): Promise<PullOnlyProof> {
  const { repo, url, options } = remote
  await requireReadable(remote, 'before')
  const pushed = await dryPush(repo, url, options)
  for (const line of pushed.stderrTail.split('\n').filter((each) => each !== ''))
    log(`push probe: ${line}`)
  if (pushed.exitCode === 0)
    throw new Problem(
      'production_can_push',
      `This host could push to ${shownAddress(url)}. Nothing was pushed: the probe was a dry run.`,
    )
  await requireReadable(remote, 'after')
  if (pushed.exitCode !== exitHandshake) {
    const how = pushed.timedOut ? 'its time limit' : `exit code ${pushed.exitCode ?? 'none'}`
    throw new Problem(
      'push_probe_inconclusive',
      `The push probe to ${shownAddress(url)} ended with ${how}; only a refusal at the handshake proves that ` +
        'this host cannot push.',
      { evidence: pushed.stderrTail.split('\n') },
    )
  }
  return {
    url,
    detail: `${shownAddress(url)} lets this host read, and refuses its push at the handshake`,
  }
}

/** @throws {Problem} `push_probe_inconclusive` unless the branch can be read */
async function requireReadable(
  { repo, url, branch, options }: Remote,
  when: 'before' | 'after',
): Promise<void> {
  const listed = await git(
    repo,
    ['ls-remote', '--exit-code', '--end-of-options', url, `refs/heads/${branch}`],
    options,
  )
  if (listed.exitCode === 0) return
  throw new Problem(
    'push_probe_inconclusive',
    `${shownAddress(url)} could not be read right ${when} the push probe (${whyUnreadable(listed, branch)}), ` +
      'so a refused push proves nothing.',
    { evidence: listed.stderrTail.split('\n') },
  )
}

function whyUnreadable(listed: CommandResult, branch: string): string {
  if (listed.timedOut) return 'no answer in time'
  if (listed.exitCode === 2) return `it has no branch ${branch}`
  return gitReason(listed)
}

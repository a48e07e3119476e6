import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { Problem } from '#shared/errors'
import type { CommandResult } from '#ops/base/process/command'
import { git, gitFailure, gitText, type GitOptions } from '#ops/platform/git/run-git'
import { temporaryFolder } from '#ops/base/process/run-as'
import { hostGit } from '#ops/platform/git/host-git'

/** What git exits with when the other side would not talk to it at all; a refused ref is 1, a refused connection 128. */
const exitHandshake = 128

export interface PullOnlyProof {
  readonly url: string
  readonly detail: string
}

/**
 * Proves that this host can read its remote and cannot write to it (design §7). For every URL that a push would go to:
 * reading from that very URL works, a push to a ref nobody uses is refused at the handshake, and reading works again.
 * So a remote that is merely down is never taken for one that refuses; nor is a git that gives up on its own
 * configuration, with the same exit code: first the same push must succeed into an empty repository beside.
 *
 * @param repo the host's clone @param branch branch that must be readable
 * @throws {Problem} `production_can_push` · `push_probe_inconclusive`
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
  for (const url of urls) proofs.push(await probe(repo, url, branch, options, log))
  return proofs
}

/** --no-verify: a local hook that says no would hide what the remote says. */
const dryPush = (
  repo: string,
  to: string,
  ref: string,
  options: GitOptions,
): Promise<CommandResult> =>
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
      `HEAD:${ref}`,
    ],
    options,
  )

const probeRef = (): string => `refs/openclaw/push-probe/${randomBytes(8).toString('hex')}`

/** A git that cannot push anywhere says nothing about the remote: a value of `push.*` that it does not understand ends it before it connects. */
async function requirePushWorks(
  repo: string,
  options: GitOptions & { errorClass: 'push_probe_inconclusive' },
): Promise<void> {
  const folder = temporaryFolder('push-probe', options.as)
  try {
    await gitText(folder, ['init', '--quiet', '--bare', '--template='], options)
    const pushed = await dryPush(repo, folder, probeRef(), {
      ...options,
      env: { ...options.env, GIT_ALLOW_PROTOCOL: 'file' },
    })
    if (pushed.exitCode === 0) return
    const evidence = pushed.stderrTail.split('\n')
    throw new Problem(
      'push_probe_inconclusive',
      `git cannot push from ${repo} to anywhere (${evidence[0] ?? 'no reason given'}), so a refused push proves nothing about origin.`,
      { evidence },
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function probe(
  repo: string,
  url: string,
  branch: string,
  options: GitOptions,
  log: (text: string) => void,
): Promise<PullOnlyProof> {
  await requireReadable(repo, url, branch, options, 'before')
  const pushed = await dryPush(repo, url, probeRef(), options)
  for (const line of pushed.stderrTail.split('\n').filter((each) => each !== ''))
    log(`push probe: ${line}`)
  if (pushed.exitCode === 0)
    throw new Problem(
      'production_can_push',
      `This host could push to ${shown(url)}. Nothing was pushed: the probe was a dry run.`,
    )
  await requireReadable(repo, url, branch, options, 'after')
  if (pushed.exitCode !== exitHandshake) {
    throw new Problem(
      'push_probe_inconclusive',
      `The push probe to ${shown(url)} ended with ${pushed.timedOut ? 'its time limit' : `exit code ${pushed.exitCode ?? 'none'}`}; only a refusal at the handshake proves that this host cannot push.`,
      { evidence: pushed.stderrTail.split('\n') },
    )
  }
  return { url, detail: `${shown(url)} lets this host read, and refuses its push at the handshake` }
}

async function requireReadable(
  repo: string,
  url: string,
  branch: string,
  options: GitOptions,
  when: 'before' | 'after',
): Promise<void> {
  const listed = await git(
    repo,
    ['ls-remote', '--exit-code', '--end-of-options', url, `refs/heads/${branch}`],
    options,
  )
  if (listed.exitCode === 0) return
  const why = listed.timedOut
    ? 'no answer in time'
    : listed.exitCode === 2
      ? `it has no branch ${branch}`
      : (gitFailure(listed).at(-1) ?? 'no reason given')
  throw new Problem(
    'push_probe_inconclusive',
    `${shown(url)} could not be read right ${when} the push probe (${why}), so a refused push proves nothing.`,
    { evidence: listed.stderrTail.split('\n') },
  )
}

/** A URL may carry a password; it is never shown. */
const shown = (url: string): string => url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, '$1')

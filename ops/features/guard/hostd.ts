import { setTimeout as delay } from 'node:timers/promises'
import { healthReply } from '#shared/api'
import { Problem } from '#shared/errors'
import { networkReason } from '#shared/network-reason'
import { parseJson } from '#ops/base/files/json-file'
import { httpRequest } from '#ops/base/http/request'
import type { GuardHost, Probe, Remediation } from './remediation.ts'
import { isMasked, systemctl, unitState } from './systemctl.ts'

const unit = 'openclaw-hostd.service'
/** Time limit of a request: a hostd that hangs accepts connections and never answers. Milliseconds. */
const answerMs = 3_000
/** Time within which it must answer after a restart, in seconds. */
const startSeconds = 30

interface Answer {
  readonly address: string
  /** Why it is not healthy; null when it is. */
  readonly why: string | null
}

interface Address {
  readonly name: string
  /** Where its routes begin. */
  readonly base: string
  readonly socketPath?: string
}

async function requestHealth(
  { name, base, ...socket }: Address,
  signal?: AbortSignal,
): Promise<Answer> {
  try {
    const { status, text } = await httpRequest(`${base}/health`, {
      ...socket,
      signal,
      timeoutMs: answerMs,
      maxBytes: 64 * 1024,
    })
    if (status !== 200) return { address: name, why: `it answered ${status}` }
    parseJson(text, healthReply, { errorClass: 'hostd_unhealthy', origin: 'its answer' })
    return { address: name, why: null }
  } catch (error) {
    signal?.throwIfAborted()
    return { address: name, why: error instanceof Problem ? error.message : networkReason(error) }
  }
}

/** Requests the health of hostd at both addresses: the loopback port, and the socket that the console uses. */
function requestBoth({ hostdUrl, paths }: GuardHost, signal?: AbortSignal): Promise<Answer[]> {
  return Promise.all([
    requestHealth({ name: hostdUrl, base: hostdUrl }, signal),
    requestHealth(
      { name: paths.publicSocket, base: 'http://localhost', socketPath: paths.publicSocket },
      signal,
    ),
  ])
}

const unreachable = (answers: readonly Answer[]): string =>
  answers.flatMap(({ address, why }) => (why === null ? [] : [`${address}: ${why}`])).join('; ')

async function probe(host: GuardHost, signal?: AbortSignal): Promise<Probe[]> {
  const of = (
    state: Probe['state'],
    detail: string,
    remedy: Probe['remedy'] = 'restart_hostd',
  ): Probe[] => [{ target: unit, check: 'hostd', state, detail, remedy }]
  if (host.settings.launcher !== 'systemd')
    return of('skip', 'hostd is not a service of systemd on this host.')
  const answers = await requestBoth(host, signal)
  if (answers.every(({ why }) => why === null))
    return of('good', `hostd answers at ${answers.map(({ address }) => address).join(' and ')}`)
  // hostd is alive, and a restart does not repair one of its addresses.
  if (answers.some(({ why }) => why === null))
    return of(
      'fail',
      `hostd answers, but not at every address: ${unreachable(answers)}`,
      'prepare_host',
    )
  if (isMasked(await unitState(unit, 'hostd_unhealthy', signal)))
    return of(
      'fail',
      `hostd does not answer (${unreachable(answers)}); ${unit} is masked, which a person did on purpose, ` +
        'so guard leaves it alone',
      'prepare_host',
    )
  return of('due', `hostd does not answer: ${unreachable(answers)}`)
}

export const restartHostd: Remediation = {
  id: 'restart_hostd',
  undone: 'FAIL',
  probe,
  apply: async (host, target, signal) => {
    // systemd gives a hostd that hangs the time limit for stopping, and then kills it.
    await systemctl(['restart', target], { errorClass: 'hostd_unhealthy', signal, seconds: 60 })
    let answers: Answer[] = []
    for (
      const end = performance.now() + startSeconds * 1000;
      performance.now() < end;
      await delay(250, undefined, signal ? { signal } : {})
    ) {
      answers = await requestBoth(host, signal)
      if (answers.every(({ why }) => why === null))
        return { acted: true, reason: `${target} was restarted and answers` }
    }
    throw new Problem(
      'hostd_unhealthy',
      `${target} was restarted and does not answer within ${startSeconds} s: ${unreachable(answers)}.`,
    )
  },
}

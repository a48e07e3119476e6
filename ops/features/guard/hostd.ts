import { setTimeout as delay } from 'node:timers/promises'
import { healthReply } from '#shared/api'
import { Problem } from '#shared/errors'
import { fetchReason } from '#ops/base/http/health'
import { parseJson } from '#ops/base/files/json-file'
import { plainGet, type Place } from '#ops/base/http/plain-get'
import type { GuardHost, Remediation, Seen } from './remediation.ts'
import { isMasked, systemctl, unitState } from './systemctl.ts'

const unit = 'openclaw-hostd.service'
/** A hostd that hangs takes connections and never answers. Milliseconds. */
const answerMs = 3_000
/** How long it may take to answer once it was started, in seconds. */
const startSeconds = 30

interface Answer {
  readonly place: string
  /** null: it is well. */ readonly why: string | null
}

async function askOne(
  name: string,
  at: Place,
  host: string,
  signal?: AbortSignal,
): Promise<Answer> {
  try {
    const { status, text } = await plainGet(at, '/health', {
      headers: { host },
      signal,
      timeoutMs: answerMs,
      maxBytes: 64 * 1024,
    })
    if (status !== 200) return { place: name, why: `it answered ${status}` }
    parseJson(text, healthReply, { errorClass: 'hostd_unhealthy', origin: 'its answer' })
    return { place: name, why: null }
  } catch (error) {
    signal?.throwIfAborted()
    return { place: name, why: error instanceof Problem ? error.message : fetchReason(error) }
  }
}

/** hostd at both of its addresses: the loopback port, and the socket that the console uses. */
function askBoth({ hostdUrl, paths }: GuardHost, signal?: AbortSignal): Promise<Answer[]> {
  const { hostname, port, host } = new URL(hostdUrl)
  return Promise.all([
    askOne(hostdUrl, { host: hostname, port: Number(port) }, host, signal),
    askOne(paths.publicSocket, { socketPath: paths.publicSocket }, 'localhost', signal),
  ])
}

const away = (answers: readonly Answer[]): string =>
  answers.flatMap(({ place, why }) => (why === null ? [] : [`${place}: ${why}`])).join('; ')

async function look(host: GuardHost, signal?: AbortSignal): Promise<Seen[]> {
  const of = (
    state: Seen['state'],
    detail: string,
    remedy: Seen['remedy'] = 'restart_hostd',
  ): Seen[] => [{ target: unit, check: 'hostd', state, detail, remedy }]
  if (host.settings.launcher !== 'systemd')
    return of('skip', 'hostd is no service of systemd on this host.')
  const answers = await askBoth(host, signal)
  if (answers.every(({ why }) => why === null))
    return of('good', `hostd answers at ${answers.map(({ place }) => place).join(' and ')}`)
  // It lives: what is wrong is its address, which a restart does not mend.
  if (answers.some(({ why }) => why === null))
    return of('fail', `hostd answers, but not everywhere: ${away(answers)}`, 'prepare_host')
  if (isMasked(await unitState(unit, 'hostd_unhealthy', signal)))
    return of(
      'fail',
      `hostd does not answer (${away(answers)}); ${unit} is masked, which somebody did on purpose, so it is left alone`,
      'prepare_host',
    )
  return of('due', `hostd does not answer: ${away(answers)}`)
}

export const restartHostd: Remediation = {
  id: 'restart_hostd',
  undone: 'FAIL',
  look,
  apply: async (host, target, signal) => {
    // One that hangs is given its stop time limit by systemd and then killed.
    await systemctl(['restart', target], { errorClass: 'hostd_unhealthy', signal, seconds: 60 })
    let answers: Answer[] = []
    for (
      const end = performance.now() + startSeconds * 1000;
      performance.now() < end;
      await delay(250, undefined, signal ? { signal } : {})
    ) {
      answers = await askBoth(host, signal)
      if (answers.every(({ why }) => why === null))
        return { acted: true, reason: `${target} was restarted and answers` }
    }
    throw new Problem(
      'hostd_unhealthy',
      `${target} was restarted and does not answer within ${startSeconds} s: ${away(answers)}.`,
    )
  },
}

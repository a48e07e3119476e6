// Waits until started containers are up and answer.
import { setTimeout as delay } from 'node:timers/promises'
import { Problem } from '#shared/errors'
import { waitUntilOk } from '#ops/base/http/health'
import { redact } from '#ops/base/redact/redaction'
import {
  containerLog,
  containers,
  isOneOff,
  serviceOf,
  type Container,
} from '#ops/platform/docker/containers'
import type { Docker } from '#ops/platform/docker/engine-api'
import { saidIn } from '#ops/host/engines/common/said-in'
import type { ComposeSource } from './source.ts'

/** Time for a service without a configured limit to be up, in seconds. */
export const waitSeconds = 120

interface Awaited {
  /** Start of the message when the wait fails: what is waited for. */
  readonly title: string
  /** Called at every probe: containers can be replaced meanwhile. An empty list is not settled. */
  readonly find: () => Promise<Container[]>
  readonly seconds: number
  /** The containers must end, with exit code 0. */
  readonly oneShot?: boolean
  /** They have no address: one may be a job that ends, with exit code 0. */
  readonly mayEnd?: boolean
  readonly signal?: AbortSignal | undefined
}

/**
 * Waits until containers are healthy (where the compose file has a health check), else running. A one-shot must have
 * ended with exit code 0.
 * @throws {Problem} `service_unhealthy` with the end of the container's log as evidence
 */
export async function waitUntilSettled(
  at: Docker,
  { title, find, seconds, oneShot = false, mayEnd = false, signal }: Awaited,
): Promise<void> {
  for (const end = performance.now() + seconds * 1000; ;) {
    const found = await find()
    const states = found.map((container) => ({
      container,
      state: stateOf(container, { oneShot, mayEnd }),
    }))
    if (states.length > 0 && states.every(({ state }) => state === 'ok')) return
    const broken = states.find(({ state }) => state !== 'ok' && state !== 'wait')
    if (broken || performance.now() > end) {
      const worst = broken ?? states.find(({ state }) => state !== 'ok')
      const late = worst
        ? `it is not up after ${seconds} s (${worst.container.State.Status})`
        : 'it has no container'
      const evidence = worst ? await containerLog(at, worst.container.Id) : []
      const said = worst ? saidIn(evidence) : ''
      throw new Problem(
        'service_unhealthy',
        `${title} is not healthy: ${broken?.state ?? late}${said}.`,
        { evidence },
      )
    }
    await delay(150, undefined, signal ? { signal } : {})
  }
}

/** `ok`, `wait`, or why the container will never be up. */
function stateOf(
  { State }: Container,
  { oneShot, mayEnd }: Required<Pick<Awaited, 'oneShot' | 'mayEnd'>>,
): string {
  const starting = State.Status === 'created' || State.Status === 'restarting'
  if (starting || (oneShot && State.Running)) return 'wait'
  if (!State.Running)
    return (oneShot || mayEnd) && State.ExitCode === 0
      ? 'ok'
      : `it ended with exit code ${State.ExitCode}`
  const health = State.Health?.Status ?? 'none'
  if (health === 'starting') return 'wait'
  return health === 'unhealthy' ? `its health check fails: ${failedCheckOutput(State, 300)}` : 'ok'
}

/** The start of what a failed health check wrote last, redacted. @param length most characters of it */
export const failedCheckOutput = ({ Health }: Container['State'], length: number): string =>
  redact.text(Health?.Log?.at(-1)?.Output.trim() ?? 'no output').slice(0, length)

/** The containers of one service, without candidates. */
export const serviceContainers = async (
  at: Docker,
  { project, service }: { readonly project: string; readonly service: string },
  signal?: AbortSignal,
): Promise<Container[]> =>
  (await containers(at, { project, all: true, signal })).filter(
    (each) => serviceOf(each) === service && !isOneOff(each),
  )

export const answerUrl = (port: number, path: string): string => `http://127.0.0.1:${port}${path}`

interface Answering {
  readonly title: string
  readonly service: ComposeSource['services'][number]
  /** Commit that the answer must name; null when it names none. */
  readonly sha: string | null
  /** Container whose log is the evidence. */
  readonly id: string | undefined
  /** Where it is requested, when that is another port than its own. */
  readonly port?: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Waits for the answer of a service that has an address. The request always names that address as its host, because
 * the service may insist on it.
 * @throws {Problem} `service_unhealthy`
 */
export async function requireAnswer(
  at: Docker,
  { title, service, sha, id, port = service.port, signal }: Answering,
): Promise<void> {
  const { health } = service
  const url = answerUrl(port, health.path)
  const why = await waitUntilOk(
    url,
    { commitField: health.commit_field, commit: sha },
    {
      seconds: health.timeout_seconds,
      headers: { host: `127.0.0.1:${service.port}` },
      ...(signal ? { signal } : {}),
    },
  )
  if (why === null) return
  const evidence = id === undefined ? [] : await containerLog(at, id)
  const said = id === undefined ? '' : saidIn(evidence)
  throw new Problem('service_unhealthy', `${title} is not healthy at ${url}: ${why}${said}.`, {
    evidence,
  })
}

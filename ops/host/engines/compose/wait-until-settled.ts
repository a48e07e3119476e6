import { setTimeout as delay } from 'node:timers/promises'
import { Problem } from '#shared/errors'
import type { Docker } from '#ops/platform/docker/engine-api'
import {
  containerLog,
  containers,
  isOneOff,
  serviceOf,
  type Container,
} from '#ops/platform/docker/containers'
import { redact } from '#ops/base/redact/redaction'
import { waitUntilOk } from '#ops/base/http/health'
import type { ComposeSource } from './source.ts'

/** How long a service without a time limit of its own may take to be up, in seconds. */
export const settleSeconds = 120

/** `ok`, `wait`, or why it never will be. */
function stateOf({ State }: Container, oneShot: boolean): string {
  if (oneShot)
    return State.Running || State.Status === 'created' || State.Status === 'restarting'
      ? 'wait'
      : State.ExitCode === 0
        ? 'ok'
        : `it ended with exit code ${State.ExitCode}`
  if (State.Status === 'created' || State.Status === 'restarting') return 'wait'
  if (!State.Running) return `it ended with exit code ${State.ExitCode}`
  const health = State.Health?.Status ?? 'none'
  if (health === 'starting') return 'wait'
  if (health === 'unhealthy')
    return `its health check fails: ${redact.text(State.Health?.Log?.at(-1)?.Output.trim() ?? 'no output').slice(0, 300)}`
  return 'ok'
}

/**
 * Waits until containers are healthy (where the compose file has a health check), else running; a one-shot must have
 * ended well.
 * @param find asked at each look: containers can be replaced meanwhile; none is not settled
 * @throws {Problem} `service_unhealthy` with the end of the container's log as evidence
 */
export async function settleContainers(
  at: Docker,
  title: string,
  find: () => Promise<Container[]>,
  {
    seconds,
    oneShot = false,
    signal,
  }: { seconds: number; oneShot?: boolean; signal?: AbortSignal | undefined },
): Promise<void> {
  for (const end = performance.now() + seconds * 1000; ;) {
    const found = await find()
    const states = found.map((container) => ({ container, state: stateOf(container, oneShot) }))
    if (states.length > 0 && states.every(({ state }) => state === 'ok')) return
    const broken = states.find(({ state }) => state !== 'ok' && state !== 'wait')
    const late = performance.now() > end
    if (broken || late) {
      const worst = broken ?? states.find(({ state }) => state !== 'ok')
      const why =
        broken?.state ??
        (worst
          ? `it is not up after ${seconds} s (${worst.container.State.Status})`
          : 'it has no container')
      throw new Problem('service_unhealthy', `${title} is not healthy: ${why}.`, {
        evidence: worst ? await containerLog(at, worst.container.Id) : [],
      })
    }
    await delay(150, undefined, signal ? { signal } : {})
  }
}

/** The containers of one service, candidates apart. */
export const serviceContainers = async (
  at: Docker,
  project: string,
  service: string,
  signal?: AbortSignal,
): Promise<Container[]> =>
  (await containers(at, { project, all: true, signal })).filter(
    (each) => serviceOf(each) === service && !isOneOff(each),
  )

export const answerUrl = (port: number, path: string): string => `http://127.0.0.1:${port}${path}`

/**
 * The answer of a service that has an address. It is always asked by the name of that address, which it may insist on.
 * @param port where it is asked, when that is another port than its own
 * @throws {Problem} `service_unhealthy`
 */
export async function requireAnswer(
  at: Docker,
  title: string,
  { port: own, health }: ComposeSource['services'][number],
  {
    sha,
    id,
    port = own,
    signal,
  }: {
    sha: string | null
    id: string | undefined
    port?: number
    signal?: AbortSignal | undefined
  },
): Promise<void> {
  const url = answerUrl(port, health.path)
  const why = await waitUntilOk(
    url,
    { commitField: health.commit_field, commit: sha },
    {
      seconds: health.timeout_seconds,
      headers: { host: `127.0.0.1:${own}` },
      ...(signal ? { signal } : {}),
    },
  )
  if (why !== null)
    throw new Problem('service_unhealthy', `${title} is not healthy at ${url}: ${why}.`, {
      evidence: id === undefined ? [] : await containerLog(at, id),
    })
}

// Judges the containers of a compose project against the record of what was brought up.
import { isOneOff, serviceOf, type Container } from '#ops/platform/docker/containers'
import type { ComposeRecord } from './record.ts'
import { failedCheckOutput } from './wait-until-settled.ts'

/** A container that Docker started again this often, the last time within `loopMs`, is in a loop. */
const loopRestarts = 3
const loopMs = 10 * 60_000
/** A single restart is reported for this long. */
const recentMs = 60 * 60_000

export interface ContainerVerdict {
  readonly wrong: string[]
  readonly odd: string[]
  readonly good: string[]
}

const short = (id: string): string => id.replace(/^sha256:/, '').slice(0, 12)
const minutes = (ms: number): string => `${Math.max(0, Math.round(ms / 60_000))} min`

/**
 * Holds every container of a compose project against the record of what was brought up.
 * @param now milliseconds since 1970
 */
export function judgeContainers(
  {
    project,
    kind,
    services,
    images,
  }: Pick<ComposeRecord, 'project' | 'kind' | 'services' | 'images'>,
  all: readonly Container[],
  now: number,
): ContainerVerdict {
  const verdict: ContainerVerdict = { wrong: [], odd: [], good: [] }
  const lasting = all.filter((each) => !isOneOff(each))
  for (const [service, image] of Object.entries(images)) {
    const title = kind === 'console' ? project : service
    const own = lasting.filter((each) => serviceOf(each) === service)
    if (own.length === 0) verdict.wrong.push(`${title} has no container`)
    for (const each of own)
      judge(
        each,
        {
          title,
          image,
          serves: kind === 'console' || services.some(({ name }) => name === service),
          now,
        },
        verdict,
      )
  }
  for (const each of lasting) {
    const service = serviceOf(each)
    if (service === null || !Object.hasOwn(images, service))
      verdict.odd.push(`container ${each.Name.replace(/^\//, '')} of ${project} is in no record`)
  }
  return verdict
}

interface Expected {
  readonly title: string
  readonly image: string
  /** It must run. Any other container may be a job that ends. */
  readonly serves: boolean
  readonly now: number
}

function judge(
  { Id, Image, RestartCount, State }: Container,
  { title, image, serves, now }: Expected,
  { wrong, odd, good }: ContainerVerdict,
): void {
  const name = `${title} (${short(Id)})`
  const since = now - Date.parse(State.StartedAt)
  const health = State.Health?.Status
  const restarts = `restarted ${RestartCount} times, the last time ${minutes(since)} ago`
  if (State.Status === 'restarting' || (RestartCount >= loopRestarts && since < loopMs))
    wrong.push(`${name} is in a loop: ${restarts}, last exit code ${State.ExitCode}`)
  else if (State.Status === 'exited' || State.Status === 'dead' || State.Status === 'created') {
    if (serves || State.ExitCode !== 0 || State.Status !== 'exited')
      wrong.push(`${name} is ${State.Status} with exit code ${State.ExitCode}`)
    else good.push(`${name} has ended with 0`)
  } else if (State.Status !== 'running') wrong.push(`${name} is ${State.Status}`)
  else if (health === 'unhealthy')
    wrong.push(`${name} is unhealthy: ${failedCheckOutput(State, 200)}`)
  else if (RestartCount > 0 && since < recentMs) odd.push(`${name} was ${restarts}`)
  else {
    const checked = health === undefined || health === 'none' ? '' : `, ${health}`
    good.push(`${name} runs for ${minutes(since)}${checked}, ${RestartCount} restarts`)
  }
  if (Image !== image)
    wrong.push(`${name} runs the image ${short(Image)}, but ${short(image)} was brought up`)
}

import type { ConnectorsView } from '#shared/bridge'
import { connectors, type ConnectorMode, type ConnectorName } from '#shared/connectors/list'
import type { ConnectWay } from '#shared/connectors/ways'
import { stateOfAttempt, type ConnectFlow, type Connecting } from '#shared/connect-flow'
import { Problem, toProblem } from '#shared/errors'
import type { HostdClient } from '#shared/hostd-client/client'
import { connectorsReader } from '#shared/hostd-client/known-connectors'
import { sweepTemporary } from '#ops/base/process/temporary-folder'
import { Attempt } from './common/attempt.ts'
import type { WayOptions } from './common/way.ts'
import { deliver } from './deliver.ts'
import { KeptFields } from './kept-fields.ts'
import { ways } from './ways.ts'

interface ConnectRequest {
  readonly name: ConnectorName
  readonly mode: ConnectorMode
  readonly fields: Readonly<Record<string, string>>
  /** Of the host that the attempt is for: it ends there, whichever host is selected by then. */
  readonly client: HostdClient
}

interface StartedAttempt {
  readonly attempt: Attempt
  readonly client: HostdClient
  readonly whole: Promise<void>
}

interface ConnectorsOptions extends Omit<WayOptions, 'fields' | 'keep'> {
  /** Names the host that `client` reaches now. */
  readonly host: () => string | null
  /** The host answers differently now. */
  readonly onEnded: () => void
}

/** The attempts of this laptop to connect a connector: at most one of each at a time. */
export class Connectors {
  readonly #options: ConnectorsOptions
  readonly #read: ReturnType<typeof connectorsReader>
  readonly #attempts = new Map<ConnectorName, StartedAttempt>()
  readonly #kept: KeptFields

  constructor(options: ConnectorsOptions) {
    this.#options = options
    this.#read = connectorsReader(options.client, options.host)
    this.#kept = new KeptFields(options.keystore, options.log)
    removeLeftProfiles(options.log)
  }

  async view(): Promise<ConnectorsView> {
    const kept = await this.#kept.list()
    const flows = [...this.#attempts.values()].map(({ attempt }) => attempt.view())
    return { ...(await this.#read()), flows, kept }
  }

  /** What of the attempts the Overview shows. */
  connecting(): Connecting[] {
    return [...this.#attempts].flatMap(([name, { attempt }]) => {
      const state = stateOfAttempt(attempt.view())
      return state === null ? [] : [{ name, state }]
    })
  }

  /**
   * Starts an attempt; while one of this connector runs for the same host, it is the answer.
   * @throws {Problem} `invalid_request` when the connector has no such way, a field is missing, or an attempt for
   *   another host runs
   */
  async connect({ name, mode, fields: given, client }: ConnectRequest): Promise<ConnectFlow> {
    const { way, obtain } = wayOf(name, mode)
    const fields = await this.#kept.fill(name, way, given)
    const running = this.#attempts.get(name)
    if (running?.attempt.ended === false) {
      if (running.client === client) return running.attempt.view()
      throw new Problem(
        'invalid_request',
        `${connectors[name].title} is being connected to another host. ` +
          'Finish or cancel that first. Nothing was started.',
      )
    }
    requireFields(way, fields)
    const attempt = new Attempt({ connector: name, mode, way })
    const whole = this.#run(attempt, async () => {
      const keep = new Map<string, string>()
      const secrets = await obtain(attempt, {
        ...this.#options,
        client,
        fields,
        keep: (field, value) => keep.set(field, value),
      })
      await deliver(attempt, { client, mode, secrets })
      await this.#kept.keep(name, keep)
    })
    this.#attempts.set(name, { attempt, client, whole })
    return attempt.view()
  }

  /** Returns when the attempt has ended. */
  async cancel(name: ConnectorName): Promise<void> {
    const found = this.#attempts.get(name)
    found?.attempt.cancel()
    await found?.whole
  }

  /** @throws {Problem} `not_running` when there is no window */
  async showWindow(name: ConnectorName): Promise<void> {
    if (!(await this.#attempts.get(name)?.attempt.showWindow()))
      throw new Problem('not_running', 'The window of the sign-in is not open any more.')
  }

  dismiss(name: ConnectorName): void {
    if (this.#attempts.get(name)?.attempt.ended) this.#attempts.delete(name)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#attempts.keys()].map((name) => this.cancel(name)))
  }

  async #run(attempt: Attempt, work: () => Promise<void>): Promise<void> {
    try {
      await work()
      attempt.succeed('The host proved that the service accepts it.')
    } catch (error) {
      attempt.fail(error)
      if (toProblem(error).errorClass === 'internal_error' && !attempt.signal.aborted)
        this.#options.log(`Connecting ${attempt.view().connector} failed: ${String(error)}`)
    } finally {
      this.#options.onEnded()
    }
  }
}

/** Removes browser profiles of an HQ that was killed. What cannot be removed now is tried at the next start. */
function removeLeftProfiles(log: (text: string) => void): void {
  try {
    for (const folder of sweepTemporary()) log(`removed ${folder}, whose process was killed`)
  } catch (error) {
    log(`A folder of a process that was killed cannot be removed: ${String(error)}`)
  }
}

function wayOf(name: ConnectorName, mode: ConnectorMode): { way: ConnectWay; obtain: WayFunction } {
  const { title, ways: known }: { title: string; ways: Readonly<Record<string, ConnectWay>> } =
    connectors[name]
  const way = known[mode]
  const obtain = ways[name]
  if (way === undefined || obtain === undefined)
    throw new Problem(
      'invalid_request',
      `mode: ${title} cannot be connected by ${JSON.stringify(mode)}. Nothing was started.`,
    )
  return { way, obtain }
}
type WayFunction = NonNullable<(typeof ways)[ConnectorName]>

function requireFields({ fields }: ConnectWay, given: Readonly<Record<string, string>>): void {
  for (const { name, label, optional } of fields)
    if (optional !== true && (given[name] ?? '').trim() === '')
      throw new Problem('invalid_request', `${name}: ${label} is missing. Nothing was started.`)
  const unknown = Object.keys(given).find((name) => !fields.some((field) => field.name === name))
  if (unknown !== undefined)
    throw new Problem(
      'invalid_request',
      `${JSON.stringify(unknown)}: the form has no such field. Nothing was started.`,
    )
}

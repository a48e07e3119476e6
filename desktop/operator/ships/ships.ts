import type { Environment } from '#ops/base/env'
import type { ShipDetail, ShipSummary } from '#shared/bridge'
import { Problem } from '#shared/errors'
import type { RunEvent } from '#shared/events'
import { newRunId } from '#shared/ids'
import type { ShipResult } from '#shared/result'
import { trustKeys, type TrustedKeys } from '#ops/core/trust/trusted-keys'
import { readProofPublicKey } from '#ops/core/proof/proof-key'
import { laptopProofPaths } from '#ops/base/paths/proof-paths'
import { followRunLog } from '#ops/core/pipeline/run-log'
import { activeShipOf, type ActiveShip } from '#ops/features/ship/index'
import { trackProgress, type Progress } from '#shared/progress'
import {
  hasResult,
  interruptedResult,
  readAttempt,
  readReview,
  readShipResult,
  shipEvents,
  shipIds,
} from './folder.ts'
import {
  endShip,
  endTerminalShip,
  readShipOutput,
  readShipRecord,
  recordedShips,
  shipIsAlive,
  startShip,
} from './process.ts'

export interface ShipsOptions {
  readonly home: string
  /** The operator's own environment, in which ships run. */
  readonly env: Environment
  /** Private half of the ship key for a ship that cannot read it itself. */
  readonly shipKey: () => Promise<string | null>
  /** Called once for every ship that was seen running and has ended. */
  readonly onEnded: (result: ShipResult) => void
  readonly log: (text: string) => void
}

export interface Ships {
  /** @param repairs most repairs, 0 for none @throws {Problem} `runner_start_failed` */
  start(repository: string, repairs: number): Promise<{ run_id: string; joined: boolean }>
  /** @throws {Problem} `not_running` when it has ended */
  cancel(repository: string, id: string): Promise<void>
  list(repository: string): Promise<ShipSummary[]>
  /** The running ship, else the newest that ended. */
  newest(repository: string): Promise<ShipSummary | null>
  /** The result that counts for a commit: its newest PASS, else its newest. A later try that found nothing to ship takes nothing back. */
  resultOf(repository: string, commit: string): Promise<ShipResult | null>
  /** @throws {Problem} `not_found` */
  detail(repository: string, id: string): Promise<ShipDetail>
  /** @throws {Problem} `not_found` */
  follow(
    repository: string,
    id: string,
    after: number,
    signal: AbortSignal,
  ): AsyncGenerator<readonly RunEvent[]>
  /** Looks who holds the lock of the repository, so that `isRunning` knows of ships typed at a terminal. */
  readonly look: (repository: string) => Promise<void>
  /** Does the process of this ship live, as far as was last seen? */
  readonly isRunning: (repository: string, id: string) => boolean
  close(): void
}

/** Most ships that are listed. */
const listed = 50
/** How often the lock of a repository is looked at while a ship of a terminal runs, in milliseconds. */
const lookMs = 1000

/** The ships of a repository: those HQ started and those typed at a terminal. */
export function shipsOf({ home, env, shipKey, onEnded, log }: ShipsOptions): Ships {
  const stop = new AbortController()
  const watched = new Map<string, Progress>()
  const ended = new Map<string, ShipResult>()
  const knownIds = (repository: string): string[] => {
    const own = recordedShips(home).filter(
      (id) => readShipRecord(home, id)?.repository === repository,
    )
    return [...new Set([...shipIds(repository), ...own])].toSorted().toReversed().slice(0, listed)
  }

  /** The key that ships from here sign with; none before the first. */
  const shipKeys = (): TrustedKeys => {
    const own = readProofPublicKey(laptopProofPaths(home, ''))
    return trustKeys(own === null ? [] : [own], 'the ship key')
  }

  /** Who holds the lock of each repository: how a ship typed at a terminal is known to run. */
  const holders = new Map<string, ActiveShip | null>()
  const look = async (repository: string): Promise<void> => {
    holders.set(repository, await activeShipOf(repository))
  }
  const isRunning = (repository: string, id: string): boolean => {
    const record = readShipRecord(home, id)
    return record ? shipIsAlive(record) : holders.get(repository)?.run_id === id
  }
  /** Follows the events of a ship to its end, looking again and again whether a ship of a terminal still runs. */
  const stream = async function* stream(
    repository: string,
    id: string,
    after: number,
    signal: AbortSignal,
  ): AsyncGenerator<readonly RunEvent[]> {
    let finished = false
    await look(repository)
    const looking = setInterval(() => {
      if (readShipRecord(home, id) === null)
        look(repository).catch((error: unknown) => log(String(error)))
    }, lookMs)
    try {
      for await (const events of followRunLog(shipEvents(repository, id), {
        after,
        ended: () => finished || !isRunning(repository, id),
        signal,
      })) {
        finished ||= events.some(({ type }) => type === 'run_finished')
        yield events
      }
    } finally {
      clearInterval(looking)
    }
  }
  const active = (repository: string): string | null =>
    [
      ...new Set([
        ...knownIds(repository),
        ...[holders.get(repository)?.run_id].filter((id) => id !== undefined),
      ]),
    ].find((id) => !hasResult(repository, id) && isRunning(repository, id)) ?? null

  const watchShip = (repository: string, id: string): Progress => {
    const known = watched.get(id)
    if (known) return known
    const progress: Progress = { step: null, finished: null }
    watched.set(id, progress)
    const watching = async (): Promise<void> => {
      await trackProgress(stream(repository, id, 0, stop.signal), progress)
      if (!stop.signal.aborted) onEnded(await endedResult(repository, id))
    }
    watching().catch((error: unknown) =>
      log(
        `Following ship ${id} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      ),
    )
    return progress
  }

  const endedResult = async (repository: string, id: string): Promise<ShipResult> => {
    const cached = ended.get(id)
    if (cached) return cached
    const result = await readEnded(repository, id)
    // A ship of a terminal that has only just begun looks like one that was killed; that is not remembered.
    if (
      hasResult(repository, id) ||
      readShipRecord(home, id) !== null ||
      knownIds(repository)[0] !== id
    )
      ended.set(id, result)
    return result
  }
  const readEnded = async (repository: string, id: string): Promise<ShipResult> => {
    try {
      const interrupted =
        readShipOutput(home, id) || 'The process of this ship ended before it was done.'
      return (
        readShipResult(repository, id) ??
        (await interruptedResult(repository, id, 'interrupted', interrupted))
      )
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      return interruptedResult(repository, id, 'action_no_result', error.message)
    }
  }
  const summary = async (repository: string, id: string): Promise<ShipSummary> => {
    if (!ended.has(id) && !hasResult(repository, id) && isRunning(repository, id)) {
      const { step } = watchShip(repository, id)
      const holder = holders.get(repository)
      return {
        run_id: id,
        active: true,
        step,
        commit: holder?.run_id === id ? holder.commit : null,
        result: null,
      }
    }
    return { run_id: id, active: false, step: null, result: await endedResult(repository, id) }
  }
  const mustKnow = (repository: string, id: string): void => {
    if (!knownIds(repository).includes(id) && !shipIds(repository).includes(id))
      throw new Problem('not_found', `No ship of this repository is called ${id}.`)
  }

  return {
    start: async (repository, repairs) => {
      const key = await shipKey()
      await look(repository)
      // Nothing is awaited from here on, so two callers cannot both find the repository free.
      const running = active(repository)
      if (running !== null) return { run_id: running, joined: true }
      const id = newRunId()
      startShip(home, repository, id, env, repairs, key)
      watchShip(repository, id)
      return { run_id: id, joined: false }
    },
    cancel: async (repository, id) => {
      mustKnow(repository, id)
      await look(repository)
      if (!isRunning(repository, id))
        throw new Problem('not_running', 'The ship has ended already.')
      const record = readShipRecord(home, id)
      const holder = holders.get(repository)
      if (record) await endShip(record)
      else if (holder?.run_id === id) await endTerminalShip(holder)
      else throw new Problem('not_running', 'The ship has ended already.')
    },
    list: async (repository) => {
      await look(repository)
      return Promise.all(knownIds(repository).map((id) => summary(repository, id)))
    },
    newest: async (repository) => {
      await look(repository)
      const id = active(repository) ?? knownIds(repository)[0]
      return id === undefined ? null : summary(repository, id)
    },
    resultOf: async (repository, commit) => {
      const results = await Promise.all(
        knownIds(repository).map(async (id) => (await summary(repository, id)).result),
      )
      // Of a ship with repairs the first attempt is what is known about the commit that was shipped.
      const own = results
        .map((result) =>
          result?.until_green?.start_sha === commit && result.git_head !== commit
            ? readAttempt(repository, result.run_id, 1)
            : result,
        )
        .filter((result) => result?.git_head === commit)
      return own.find((result) => result?.overall === 'PASS') ?? own[0] ?? null
    },
    detail: async (repository, id) => {
      mustKnow(repository, id)
      await look(repository)
      return { summary: await summary(repository, id), ...readReview(repository, id, shipKeys()) }
    },
    follow: (repository, id, after, signal) => {
      mustKnow(repository, id)
      return stream(repository, id, after, signal)
    },
    look,
    isRunning,
    close: () => stop.abort(),
  }
}

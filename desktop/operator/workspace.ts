import { basename } from 'node:path'
import { Problem, toProblem } from '#shared/errors'
import type { Input, Output, Overview, RepositoryState } from '#shared/bridge'
import type { RunEvent } from '#shared/events'
import { composeOverview } from '#shared/overview'
import { passedRun } from '#shared/typical-durations'
import { rememberCancels, type Cancels } from './host/cancels.ts'
import { watchDeploys, type Deploys } from './host/deploys.ts'
import { connectHost, type Connection } from './host/connection.ts'
import type { OperatorOptions } from './options.ts'
import { watchProofs, type ProofWatch } from './proofs/watch.ts'
import { proofsOf } from './proofs/proofs.ts'
import { readRepository } from './ships/repository.ts'
import { shipKeeper, type ShipKeeper } from './settings/ship-key-store.ts'
import { settingsStore, type SettingsStore } from './settings/settings.ts'
import { shipsOf, type Ships } from './ships/ships.ts'
import { uploadQueue, type UploadQueue } from './ships/upload-queue.ts'

/** The parts of the operator, wired to each other. */
export interface Workspace {
  readonly settings: SettingsStore
  readonly connection: Connection
  readonly ships: Ships
  readonly cancels: Cancels
  /** The chosen repository. @throws {Problem} `not_a_repository` when none is chosen */
  readonly mustRepository: () => string
  readonly overview: () => Promise<Overview>
  /** What the laptop remembers of every chain. */
  readonly witness: ProofWatch
  readonly keeper: ShipKeeper
  readonly proofs: (input: Input<'proofs.list'>) => Promise<Output<'proofs.list'>>
  followRun(id: string, after: number, signal: AbortSignal): AsyncIterable<readonly RunEvent[]>
  close(): Promise<void>
}

/** A repository is read at most this often, in milliseconds, however many windows ask. */
const readEveryMs = 1000

/** Newest passed ships whose durations count. */
const shownShips = 10

/** A repository that was moved or damaged is shown with the reason; the rest of the Overview stays. @throws what is no Problem */
function unreadable(path: string, error: unknown): RepositoryState {
  if (!(error instanceof Problem)) throw error
  return {
    name: basename(path),
    branch: null,
    head: null,
    subject: null,
    remote: null,
    ahead: 0,
    behind: 0,
    dirty_files: 0,
    next_action: null,
    ship_blocked: error.message,
  }
}

export function openWorkspace({
  home,
  keystore,
  env,
  log,
  onRunEnded,
}: OperatorOptions): Workspace {
  const settings = settingsStore(home)
  const keeper: ShipKeeper = shipKeeper(home, keystore)
  const cancels = rememberCancels()
  let closed = false

  const ships: Ships = shipsOf({
    home,
    env,
    log,
    shipKey: keeper.forShip,
    onEnded: (result) => {
      onRunEnded?.({ source: 'ship', title: 'Ship', result })
      void upload()
      witness.look().catch((error: unknown) => log(String(error)))
    },
  })
  const queue: UploadQueue = uploadQueue({
    home,
    log,
    isRunning: ships.isRunning,
    shipKey: () => keeper.key(),
  })
  const connection: Connection = connectHost({
    home,
    settings,
    keystore,
    log,
    onStatus: ({ status }) => {
      deploys.notice(status)
      witness.notice(status)
      void upload()
    },
  })
  const deploys: Deploys = watchDeploys({
    client: connection.client,
    log,
    onEnded: (end) => {
      onRunEnded?.(end)
      connection.refresh().catch((error: unknown) => log(String(error)))
    },
  })

  const proofPlaces = {
    home,
    log,
    repository: () => settings.read().repository,
    host: () => settings.read().host?.name ?? null,
    target: async () => (connection.view().state === 'online' ? connection.target() : null),
  }
  const witness: ProofWatch = watchProofs(proofPlaces)
  const proofs = proofsOf({
    ...proofPlaces,
    watch: witness,
    isRunning: ships.isRunning,
    active: () => new Set(connection.known()?.status.active_runs.map(({ run_id }) => run_id)),
  })

  /** Sends what waits, as long as the host answers. Looks at the disk each time: a ship typed at a terminal tells nobody. */
  const upload = async (): Promise<void> => {
    if (closed || connection.view().state !== 'online') return
    try {
      const { repository } = settings.read()
      if (repository === null) return
      await ships.look(repository)
      if (await queue.run(repository, await connection.target())) await connection.refresh()
    } catch (error) {
      const problem = toProblem(error)
      log(`Uploading proofs stopped: ${problem.errorClass}: ${problem.message}`)
    }
  }

  let read: { path: string; at: number; state: Promise<RepositoryState> } | null = null
  const repositoryState = (path: string): Promise<RepositoryState> => {
    if (read?.path !== path || performance.now() - read.at > readEveryMs)
      read = {
        path,
        at: performance.now(),
        state: readRepository(path, env).catch((error: unknown) => unreadable(path, error)),
      }
    return read.state
  }

  return {
    settings,
    connection,
    ships,
    cancels,
    witness,
    proofs,
    keeper,
    mustRepository: () => {
      const { repository } = settings.read()
      if (repository === null)
        throw new Problem(
          'not_a_repository',
          'No repository is chosen yet; choose one in Settings.',
        )
      return repository
    },
    overview: async () => {
      const path = settings.read().repository
      const repository = path === null ? null : await repositoryState(path)
      const list = path === null || repository?.head === null ? [] : await ships.list(path)
      const shipResult =
        path !== null && repository?.head ? await ships.resultOf(path, repository.head) : null
      // What is known of the host is taken at one instant, after all waiting, so that it agrees with itself.
      const known = connection.known()
      const passedShips = list
        .map(({ result }) => passedRun('ship', result))
        .filter((run) => run !== null)
      return composeOverview({
        connection: connection.view(),
        status: known?.status ?? null,
        deployStep: deploys.step(),
        passedRuns: [...passedShips.slice(0, shownShips), ...deploys.passed()],
        laptop: {
          repository,
          ship: list.find(({ active }) => active) ?? list[0] ?? null,
          shipResult,
          upload: queue.view(path, connection.view().url),
          proofAlarms: witness
            .views()
            .flatMap(({ title, open }) => open.map(({ detail }) => ({ who: title, detail }))),
          cancels: cancels.view(({ source, run_id, asked_at }) =>
            source === 'ship'
              ? !list.some((ship) => ship.active && ship.run_id === run_id)
              : known !== null &&
                known.as_of > asked_at &&
                !known.status.active_runs.some((run) => run.run_id === run_id),
          ),
        },
      })
    },
    followRun: (id, after, signal) => connection.client.events(id, { after, signal }),
    close: async () => {
      closed = true
      ships.close()
      witness.close()
      deploys.close()
      await connection.close()
    },
  }
}

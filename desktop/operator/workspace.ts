import { basename } from 'node:path'
import open from 'open'
import { Problem, toProblem } from '#shared/errors'
import type { StatusReply } from '#shared/api'
import type { Overview, RepositoryState, ShipSummary } from '#shared/bridge'
import type { RunEvent } from '#shared/events'
import { composeOverview } from '#shared/overview'
import { passedRun } from '#shared/typical-durations'
import type { ShipResult } from '#shared/result'
import { Connectors } from './connectors/connectors.ts'
import { rememberCancels, type CancelledRun, type Cancels } from './host/cancels.ts'
import { watchDeploys, type Deploys } from './host/deploys.ts'
import { Hosts } from './host/hosts.ts'
import { connectHosts, type Connection } from './host/connection.ts'
import type { HostPoller } from './host/poller.ts'
import type { OperatorOptions } from './options.ts'
import { ProofWatch, type WatchOptions } from './proofs/watch.ts'
import type { ExportOptions } from './proofs/export.ts'
import { EvidenceReader } from './proofs/evidence.ts'
import { ProofList } from './proofs/proofs.ts'
import { Sightings } from './proofs/sightings.ts'
import { ownShipProof } from './proofs/own-ships.ts'
import { readRepository } from './ships/repository.ts'
import { ShipKeyStore } from './settings/ship-key-store.ts'
import { settingsStore, type SettingsStore } from './settings/settings.ts'
import { Ships } from './ships/ships.ts'
import { TailnetWatch } from './tailnet/watch.ts'
import { UploadQueue } from './ships/upload-queue.ts'

/** A repository is read at most this often, in milliseconds, however many windows show it. */
const readEveryMs = 1000

/** Newest passed ships whose durations count. */
const shownShips = 10

/** The parts of the operator, wired to each other. */
export class Workspace {
  readonly settings: SettingsStore
  readonly connection: Connection
  readonly tailnet = new TailnetWatch()
  readonly hosts: Hosts
  readonly ships: Ships
  readonly cancels: Cancels = rememberCancels(() => this.connection.view().url)
  /** What the laptop remembers of every chain. */
  readonly witness: ProofWatch
  readonly shipKey: ShipKeyStore
  readonly proofs: ProofList
  readonly evidence: EvidenceReader
  readonly proofExport: ExportOptions
  readonly connectors: Connectors
  /** Opens a page in the browser of this laptop. */
  readonly openBrowser = async (url: string): Promise<void> => void (await open(url))
  private readonly options: OperatorOptions
  private readonly sightings: Sightings
  private readonly queue: UploadQueue
  private readonly deploys: Deploys
  private closed = false
  private read: { path: string; at: number; state: Promise<RepositoryState> } | null = null

  constructor(options: OperatorOptions) {
    const { home, keystore, env, log, onRunEnded } = options
    this.options = options
    this.settings = settingsStore(home)
    this.shipKey = new ShipKeyStore(home, keystore)
    this.ships = new Ships({
      home,
      env,
      log,
      shipKey: () => this.shipKey.forShip(),
      onEnded: (result) => this.shipEnded(result),
    })
    this.queue = new UploadQueue({
      home,
      log,
      isRunning: (repository, id) => this.ships.isRunning(repository, id),
      shipKey: () => this.shipKey.key(),
    })
    this.connection = connectHosts({
      home,
      settings: this.settings,
      keystore,
      tailnet: this.tailnet,
      log,
      onStatus: ({ status }, host) => this.hostAnswered(status, host),
    })
    this.hosts = new Hosts({
      settings: this.settings,
      keystore,
      connection: this.connection,
      tailnet: this.tailnet,
    })
    this.deploys = watchDeploys({
      log,
      onEnded: (end) => {
        onRunEnded?.(end)
        this.refresh()
      },
    })
    this.connectors = new Connectors({
      home,
      env,
      keystore,
      log,
      client: this.connection.client,
      host: () => this.connection.view().url,
      openBrowser: this.openBrowser,
      onEnded: () => this.refresh(),
    })
    const watched = this.watched()
    this.witness = new ProofWatch(watched)
    this.sightings = new Sightings(home, log)
    this.proofs = new ProofList({
      ...watched,
      sightings: this.sightings,
      watch: this.witness,
      isRunning: (repository, id) => this.ships.isRunning(repository, id),
      active: () => this.activeRuns(),
    })
    const host = (): HostPoller => this.mustHost()
    this.proofExport = { ...watched, host }
    this.evidence = new EvidenceReader({
      repository: () => this.mustRepository(),
      host,
      verify: this.proofs.verify,
      sightings: this.sightings,
    })
  }

  /** The chosen repository. @throws {Problem} `not_a_repository` when none is chosen */
  mustRepository(): string {
    const { repository } = this.settings.read()
    if (repository === null)
      throw new Problem('not_a_repository', 'No repository is chosen yet; choose one in Settings.')
    return repository
  }

  async overview(): Promise<Overview> {
    const path = this.settings.read().repository
    const repository = path === null ? null : await this.repositoryState(path)
    const list = path === null || repository?.head === null ? [] : await this.ships.list(path)
    const shipResult =
      path !== null && repository?.head ? await this.ships.resultOf(path, repository.head) : null
    const shipProof =
      path === null || shipResult === null
        ? null
        : await ownShipProof(this.proofs, path, shipResult.run_id)
    // What is known of the host is taken at one instant, after all waiting, so that it agrees with itself.
    const known = this.connection.known()
    const connection = this.connection.view()
    const passedShips = list
      .map(({ result }) => passedRun('ship', result))
      .filter((run) => run !== null)
    return composeOverview({
      connection,
      status: known?.status ?? null,
      deploy: this.deploys.current(known?.status ?? null),
      passedRuns: [...passedShips.slice(0, shownShips), ...this.deploys.passed()],
      laptop: {
        repository,
        ship: list.find(({ active }) => active) ?? list[0] ?? null,
        shipResult,
        shipProof,
        upload: this.queue.view(path, connection.url),
        proofAlarms: this.witness
          .views()
          .flatMap(({ title, open }) => open.map(({ detail }) => ({ who: title, detail }))),
        connecting: this.connectors.connecting(),
        hosts: this.hosts.summaries(),
        cancels: this.cancels.view((cancel) => hasEnded(cancel, list, this.connection.all())),
      },
    })
  }

  followRun(id: string, after: number, signal: AbortSignal): AsyncIterable<readonly RunEvent[]> {
    const cameBack = (): AbortSignal => this.connection.cameBack()
    return this.connection.client.events(id, { after, signal, cameBack })
  }

  /** Makes the Overview show at once what just changed on the host, not at the next poll. */
  refresh(): void {
    this.connection.refresh().catch((error: unknown) => this.options.log(String(error)))
  }

  async close(): Promise<void> {
    this.closed = true
    this.ships.close()
    this.witness.close()
    this.deploys.close()
    await this.connectors.close()
    await this.connection.close()
  }

  /** @throws {Problem} `host_not_enrolled` */
  private mustHost(): HostPoller {
    const host = this.connection.selected()
    if (host === null)
      throw new Problem('host_not_enrolled', 'No host is enrolled, so no request was sent.')
    return host
  }

  private watched(): WatchOptions {
    const { home, log } = this.options
    return {
      home,
      log,
      repository: () => this.settings.read().repository,
      host: () => this.connection.selected(),
      isNameShared: (name) =>
        this.connection.all().filter(({ host }) => host.name === name).length > 1,
    }
  }

  private activeRuns(): ReadonlySet<string> {
    return new Set(this.connection.known()?.status.active_runs.map(({ run_id }) => run_id))
  }

  private shipEnded(result: ShipResult): void {
    this.options.onRunEnded?.({ source: 'ship', title: 'Ship', result })
    void this.upload()
    this.witness.check().catch((error: unknown) => this.options.log(String(error)))
  }

  private hostAnswered(status: StatusReply, host: HostPoller): void {
    this.deploys.notice(status, host)
    this.witness.notice(status)
    this.sightings.notice(host.host.name, status)
    void this.upload()
  }

  /** Sends what waits while the host answers. Reads the disk each time: HQ does not see a ship typed at a terminal. */
  private async upload(): Promise<void> {
    if (this.closed || this.connection.view().state !== 'online') return
    try {
      const { repository } = this.settings.read()
      if (repository === null) return
      await this.ships.probe(repository)
      if (await this.queue.run(repository, await this.connection.target()))
        await this.connection.refresh()
    } catch (error) {
      const problem = toProblem(error)
      this.options.log(`Uploading proofs stopped: ${problem.errorClass}: ${problem.message}`)
    }
  }

  private repositoryState(path: string): Promise<RepositoryState> {
    if (this.read?.path !== path || performance.now() - this.read.at > readEveryMs)
      this.read = {
        path,
        at: performance.now(),
        state: readRepository({
          repository: path,
          home: this.options.home,
          env: this.options.env,
        }).catch((error: unknown) => unreadable(path, error)),
      }
    return this.read.state
  }
}

/** Whether a run that was to be cancelled has ended, as far as is known. */
function hasEnded(
  { source, run_id, asked_at, host }: CancelledRun,
  ships: readonly ShipSummary[],
  hosts: readonly HostPoller[],
): boolean {
  if (source === 'ship') return !ships.some((ship) => ship.active && ship.run_id === run_id)
  const poller = hosts.find((each) => each.host.url === host)
  if (poller === undefined) return true // it was removed from HQ
  const known = poller.known()
  return (
    known !== null &&
    known.as_of > asked_at &&
    !known.status.active_runs.some((run) => run.run_id === run_id)
  )
}

/**
 * A repository that was moved or damaged is shown with the reason; the rest of the Overview stays.
 * @throws what is not a Problem
 */
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

// The ships of a repository: those that HQ started and those that were started at a terminal.
import type { ShipDetail, ShipSummary } from '#shared/bridge'
import { Problem } from '#shared/errors'
import type { RunEvent } from '#shared/events'
import { newRunId } from '#shared/ids'
import type { ShipResult } from '#shared/result'
import type { Environment } from '#ops/base/env'
import { trustKeys, type TrustedKeys } from '#ops/core/trust/trusted-keys'
import { readProofPublicKey } from '#ops/core/proof/proof-key'
import { laptopProofPaths } from '#ops/base/paths/proof-paths'
import { freshProgress, trackProgress, type Progress } from '#shared/progress'
import { EndedShips } from './ended-ships.ts'
import { hasResult, readAttempt, shipIds } from './folder.ts'
import { followShip, type ShipStream } from './follow.ts'
import { LockHolders } from './lock-holders.ts'
import { endShip, endTerminalShip, startShip } from './process.ts'
import { readReview } from './review.ts'
import { readShipRecord, recordedShips } from './records.ts'

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

/** Most ships that are listed. */
const maxListed = 50

export class Ships {
  readonly #options: ShipsOptions
  readonly #stop = new AbortController()
  readonly #watched = new Map<string, Progress>()
  readonly #holders: LockHolders
  readonly #ended: EndedShips

  constructor(options: ShipsOptions) {
    this.#options = options
    this.#holders = new LockHolders(options.home)
    this.#ended = new EndedShips(options.home)
  }

  /**
   * Starts a ship, or joins the one that runs.
   * @param repairs most repairs, 0 for none
   * @throws {Problem} `runner_start_failed`
   */
  async start(repository: string, repairs: number): Promise<{ run_id: string; joined: boolean }> {
    const { home, env } = this.#options
    const key = await this.#options.shipKey()
    await this.probe(repository)
    // Nothing is awaited from here on, so two callers cannot both find the repository free.
    const running = this.#active(repository)
    if (running !== null) return { run_id: running, joined: true }
    const id = newRunId()
    startShip({ home, repository, id, env, repairs, key })
    this.#watch(repository, id)
    return { run_id: id, joined: false }
  }

  /** @throws {Problem} `not_running` when it has ended */
  async cancel(repository: string, id: string): Promise<void> {
    this.#mustKnow(repository, id)
    await this.probe(repository)
    const record = readShipRecord(this.#options.home, id)
    const holder = this.#holders.of(repository)
    if (!this.isRunning(repository, id))
      throw new Problem('not_running', 'The ship has ended already.')
    if (record) await endShip(record)
    else if (holder?.run_id === id) await endTerminalShip(holder)
    else throw new Problem('not_running', 'The ship has ended already.')
  }

  async list(repository: string): Promise<ShipSummary[]> {
    await this.probe(repository)
    return Promise.all(this.#knownIds(repository).map((id) => this.#summary(repository, id)))
  }

  /** The running ship, else the newest that ended. */
  async newest(repository: string): Promise<ShipSummary | null> {
    await this.probe(repository)
    const id = this.#active(repository) ?? this.#knownIds(repository)[0]
    return id === undefined ? null : this.#summary(repository, id)
  }

  /**
   * The result that counts for a commit: its newest PASS, else its newest. A later ship that found nothing to ship
   * does not undo a PASS.
   */
  async resultOf(repository: string, commit: string): Promise<ShipResult | null> {
    const results = await Promise.all(
      this.#knownIds(repository).map(async (id) => (await this.#summary(repository, id)).result),
    )
    // Of a ship with repairs the first attempt is what is known about the commit that was shipped.
    const ofCommit = results
      .map((result) =>
        result?.until_green?.start_sha === commit && result.git_head !== commit
          ? readAttempt(repository, result.run_id, 1)
          : result,
      )
      .filter((result) => result?.git_head === commit)
    return ofCommit.find((result) => result?.overall === 'PASS') ?? ofCommit[0] ?? null
  }

  /** @throws {Problem} `not_found` */
  async detail(repository: string, id: string): Promise<ShipDetail> {
    this.#mustKnow(repository, id)
    await this.probe(repository)
    const summary = await this.#summary(repository, id)
    return { summary, ...readReview(repository, id, this.#shipKeys()) }
  }

  /** @throws {Problem} `not_found` */
  follow(ship: ShipStream): AsyncGenerator<readonly RunEvent[]> {
    this.#mustKnow(ship.repository, ship.id)
    return followShip(ship, this.#holders, this.#options.log)
  }

  /** Reads who holds the lock of the repository, so that `isRunning` knows of ships that were started at a terminal. */
  probe(repository: string): Promise<void> {
    return this.#holders.probe(repository)
  }

  /** Does the process of this ship live, as of the last probe? */
  isRunning(repository: string, id: string): boolean {
    return this.#holders.isRunning(repository, id)
  }

  close(): void {
    this.#stop.abort()
  }

  #knownIds(repository: string): string[] {
    const { home } = this.#options
    const started = recordedShips(home).filter(
      (id) => readShipRecord(home, id)?.repository === repository,
    )
    return [...new Set([...shipIds(repository), ...started])]
      .toSorted()
      .toReversed()
      .slice(0, maxListed)
  }

  /** The key that ships from here sign with; none before the first. */
  #shipKeys(): TrustedKeys {
    const key = readProofPublicKey(laptopProofPaths(this.#options.home, ''))
    return trustKeys(key === null ? [] : [key], 'the ship key')
  }

  #active(repository: string): string | null {
    const holder = this.#holders.of(repository)
    const ids = new Set([...this.#knownIds(repository), ...(holder ? [holder.run_id] : [])])
    return (
      [...ids].find((id) => !hasResult(repository, id) && this.isRunning(repository, id)) ?? null
    )
  }

  /** Follows a running ship in the background until it ends. */
  #watch(repository: string, id: string): Progress {
    const known = this.#watched.get(id)
    if (known) return known
    const progress = freshProgress()
    this.#watched.set(id, progress)
    this.#trackToEnd(repository, id, progress).catch((error: unknown) => {
      const why = error instanceof Error ? (error.stack ?? error.message) : String(error)
      this.#options.log(`Following ship ${id} failed: ${why}`)
    })
    return progress
  }

  async #trackToEnd(repository: string, id: string, progress: Progress): Promise<void> {
    const { signal } = this.#stop
    const ship = { repository, id, after: 0, signal }
    await trackProgress(followShip(ship, this.#holders, this.#options.log), progress)
    if (!signal.aborted) this.#options.onEnded(await this.#endedResult(repository, id))
  }

  #endedResult(repository: string, id: string): Promise<ShipResult> {
    return this.#ended.resultOf(repository, id, this.#knownIds(repository)[0] === id)
  }

  async #summary(repository: string, id: string): Promise<ShipSummary> {
    const isActive =
      !this.#ended.has(id) && !hasResult(repository, id) && this.isRunning(repository, id)
    if (!isActive) {
      const result = await this.#endedResult(repository, id)
      return { run_id: id, active: false, step: null, result }
    }
    const { step } = this.#watch(repository, id)
    const holder = this.#holders.of(repository)
    const commit = holder?.run_id === id ? holder.commit : null
    return { run_id: id, active: true, step, commit, result: null }
  }

  #mustKnow(repository: string, id: string): void {
    if (!this.#knownIds(repository).includes(id) && !shipIds(repository).includes(id))
      throw new Problem('not_found', `This repository has no ship ${id}.`)
  }
}

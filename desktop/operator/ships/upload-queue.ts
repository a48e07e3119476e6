// Brings the proof of each passed ship to the host, also of those started at a terminal. A ship never fails for it.
import type { Overview } from '#shared/bridge'
import { errorRule, Problem, toProblem } from '#shared/errors'
import type { SigningKey } from '#ops/core/trust/signing-key'
import { redact } from '#ops/base/redact/redaction'
import { hostClient, type HostTarget } from '../host/client.ts'
import { makeShipBundle } from './bundle.ts'
import { readShipResult, shipIds } from './folder.ts'
import { UploadEntries, type UploadEntry } from './upload-entries.ts'

/** Newest ships of the repository that are considered; older ones were uploaded, or are history. */
const maxConsidered = 50

export interface UploadOptions {
  readonly home: string
  readonly log: (text: string) => void
  /** Signs for what is too large to be uploaded. */
  readonly shipKey: () => Promise<SigningKey>
  /** A ship that still runs may still write to its proof, also after its result. */
  readonly isRunning: (repository: string, id: string) => boolean
}

export class UploadQueue {
  readonly #options: UploadOptions
  readonly #entries: UploadEntries
  readonly #passed = new Map<string, boolean>()
  #running: Promise<boolean> | null = null

  constructor(options: UploadOptions) {
    this.#options = options
    this.#entries = new UploadEntries(options.home)
  }

  /**
   * Queues every passed ship that this host does not have, and sends what is queued. Never throws for a host that does
   * not answer.
   * @returns whether the host stored one
   */
  run(repository: string, target: HostTarget): Promise<boolean> {
    this.#running ??= this.#sendWaiting(repository, target).finally(() => {
      this.#running = null
    })
    return this.#running
  }

  /** @param origin of the enrolled host, null when there is none: then a passed ship waits for one */
  view(repository: string | null, origin: string | null): Overview['upload'] {
    if (repository === null) return { queued: 0, detail: null }
    const [first, ...more] = this.#waiting(repository, origin ?? '')
    const refused = origin === null ? undefined : this.#refusedEntry(repository, origin)
    const detail = first === undefined ? null : (this.#entries.read(first)?.detail ?? null)
    return {
      queued: first === undefined ? 0 : 1 + more.length,
      detail:
        detail ??
        (refused
          ? `The host refused the proof of ship ${refused.run_id}: ${refused.detail ?? ''}`
          : null),
    }
  }

  async #sendWaiting(repository: string, target: HostTarget): Promise<boolean> {
    const ids = this.#waiting(repository, target.origin)
    for (const id of ids) this.#entries.queue({ run_id: id, repository, origin: target.origin })
    let stored = false
    for (const id of ids) {
      const state = await this.#send(repository, target, id)
      stored ||= state === 'stored'
      if (state === 'queued') break // the host does not answer: it would not store the others either
    }
    this.#entries.prune()
    return stored
  }

  /** Passed ships that this host does not have, oldest first. */
  #waiting(repository: string, origin: string): string[] {
    return shipIds(repository)
      .slice(0, maxConsidered)
      .filter((id) => !this.#entries.isDone(id, origin) && this.#hasPassed(repository, id))
      .toReversed()
  }

  #refusedEntry(repository: string, origin: string): UploadEntry | null | undefined {
    return shipIds(repository)
      .slice(0, maxConsidered)
      .map((id) => this.#entries.read(id))
      .find((each) => each?.state === 'refused' && each.origin === origin)
  }

  #hasPassed(repository: string, id: string): boolean {
    const known = this.#passed.get(id)
    if (known !== undefined) return known
    if (this.#options.isRunning(repository, id)) return false
    try {
      const pass = readShipResult(repository, id)?.overall === 'PASS'
      this.#passed.set(id, pass)
      return pass
    } catch (error) {
      if (error instanceof Problem) return false // no readable result, so nothing that passed
      throw error
    }
  }

  async #send(repository: string, target: HostTarget, id: string): Promise<UploadEntry['state']> {
    const base = {
      run_id: id,
      repository,
      origin: target.origin,
      attempts: (this.#entries.read(id)?.attempts ?? 0) + 1,
    }
    try {
      const leftOut = await this.#put(repository, target, id)
      const detail =
        leftOut.length > 0
          ? `Too large for the host and left on the laptop: ${leftOut.join(', ')}`
          : null
      this.#entries.write({ ...base, state: 'stored', detail })
      return 'stored'
    } catch (error) {
      const problem = toProblem(error)
      const state = worthRetrying(problem) ? 'queued' : 'refused'
      this.#entries.write({ ...base, state, detail: redact.text(problem.message) })
      if (problem.errorClass === 'internal_error')
        this.#options.log(`Uploading ship ${id} failed: ${problem.message}`)
      return state
    }
  }

  /** @returns files that did not fit */
  async #put(repository: string, target: HostTarget, id: string): Promise<string[]> {
    const { bundle, leftOut } = makeShipBundle(repository, id, await this.#options.shipKey())
    await hostClient(async () => target).storeShip(id, bundle)
    return leftOut
  }
}

/** Can a later attempt succeed although nobody changes the bundle? */
function worthRetrying(problem: Problem): boolean {
  const { http } = errorRule(problem.errorClass)
  return http === undefined || http >= 500 || http === 403
}

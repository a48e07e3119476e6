import { join } from 'node:path'
import { z } from 'zod'
import type { StatusReply } from '#shared/api'
import { timestamp } from '#shared/ids'
import type { ProofState } from '#shared/proof'
import { readJson, writeJson } from '#ops/base/files/json-file'

const sighting = z.strictObject({ whole_at: timestamp.nullable(), broken_at: timestamp.nullable() })
type Sighting = z.infer<typeof sighting>
const file = z.strictObject({
  schema_version: z.literal(1),
  bundles: z.record(z.string(), sighting),
})

/** Bundles that are remembered; the oldest go first. */
const maxBundles = 1000
/** A bundle that stays whole is written down at most this often, milliseconds. */
const writeEveryMs = 60_000

const never: Sighting = { whole_at: null, broken_at: null }

export interface SeenBundle {
  /** Name of the host, or the path of the repository. */
  readonly place: string
  readonly kind: string
  readonly run_id: string
}

/**
 * When this laptop last found each bundle whole, and since when it finds it broken. It proves nothing, that is the
 * witness's part; it tells a person in which hours to look.
 */
export class Sightings {
  readonly #path: string
  readonly #log: (text: string) => void
  #known: Map<string, Sighting> | null = null
  #writtenAt = 0

  /** @param home folder of HQ on this laptop */
  constructor(home: string, log: (text: string) => void) {
    this.#path = join(home, 'cache', 'proof-sightings.json')
    this.#log = log
  }

  of(bundle: SeenBundle): Sighting {
    return this.#all().get(keyOf(bundle)) ?? never
  }

  /** The bundles that the host checks for each of its answers. @param place name of the host */
  notice(place: string, { bundles }: StatusReply): void {
    for (const kind of ['ship', 'deploy'] as const) {
      const bundle = bundles[kind]
      if (bundle !== null) this.note({ place, kind, run_id: bundle.run_id }, bundle.verification)
    }
  }

  note(bundle: SeenBundle, state: ProofState): void {
    if (state === 'unverified') return
    const all = this.#all()
    const key = keyOf(bundle)
    const before = all.get(key) ?? never
    const now = new Date().toISOString()
    const after: Sighting =
      state === 'verified'
        ? { whole_at: now, broken_at: null }
        : { ...before, broken_at: before.broken_at ?? now }
    all.delete(key)
    all.set(key, after)
    const turned = (before.broken_at === null) !== (after.broken_at === null)
    if (turned || Date.now() - this.#writtenAt >= writeEveryMs) this.#write(all)
  }

  #all(): Map<string, Sighting> {
    this.#known ??= new Map(Object.entries(this.#read()))
    return this.#known
  }

  #read(): Record<string, Sighting> {
    try {
      return readJson(this.#path, file, 'internal_error')?.bundles ?? {}
    } catch {
      return {} // another version wrote it, or it is damaged: what was remembered is forgotten
    }
  }

  #write(all: Map<string, Sighting>): void {
    this.#writtenAt = Date.now()
    for (const oldest of all.keys()) {
      if (all.size <= maxBundles) break
      all.delete(oldest)
    }
    try {
      writeJson(
        this.#path,
        { schema_version: 1, bundles: Object.fromEntries(all) },
        { mode: 0o600 },
      )
    } catch (error) {
      this.#log(`When proofs were last seen whole could not be kept: ${String(error)}`)
    }
  }
}

const keyOf = ({ place, kind, run_id }: SeenBundle): string => `${kind}/${run_id} ${place}`

import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { z } from 'zod'
import { maxListedProblems, type ProofBundlesReply } from '#shared/api'
import type { Output, ProofRow } from '#shared/bridge'
import { toProblem } from '#shared/errors'
import { timestamp } from '#shared/ids'
import { bundleVerification, type BundleVerification, type WitnessedLink } from '#shared/proof'
import { sha256Of } from '#ops/base/sha256'
import { readJson, writeJson } from '#ops/base/files/json-file'
import { trustKeys } from '#ops/core/trust/trusted-keys'
import { cachedVerifier } from '#ops/core/proof/cached-verify'
import { readProofPublicKey } from '#ops/core/proof/proof-key'
import { laptopProofPaths } from '#ops/base/paths/proof-paths'
import { readWitness } from '#ops/core/proof/witness'
import { readSeen } from '#ops/core/proof/witness-seen'
import type { OneHost } from '../host/client.ts'
import { shipWitness } from './chains.ts'
import type { Sightings } from './sightings.ts'
import type { ProofWatch } from './watch.ts'
import { shipFolder, shipIds } from '../ships/folder.ts'

interface ProofsOptions {
  readonly home: string
  readonly watch: ProofWatch
  readonly repository: () => string | null
  /** The selected host; null when none is enrolled. */
  readonly host: () => OneHost | null
  readonly isRunning: (repository: string, id: string) => boolean
  /** Runs of the host that have not ended, as far as is known. */
  readonly active: () => ReadonlySet<string>
  readonly log: (text: string) => void
  readonly sightings: Sightings
}

const pageLength = 30
/** What the host said of its newest bundles, kept for when it is unreachable. */
const cached = z.strictObject({
  schema_version: z.literal(1),
  host: z.string(),
  /** Absent where an older version wrote it. */
  origin: z.string().optional(),
  as_of: timestamp,
  bundles: z.array(bundleVerification),
})
const cacheFile = (home: string, host: string): string =>
  join(home, 'cache', `proofs-${sha256Of(host).slice(0, 16)}.json`)

interface HostPage {
  readonly bundles: readonly BundleVerification[]
  readonly next: string | null
  readonly as_of: string | null
  readonly detail: string | null
}
const noHost: HostPage = { bundles: [], next: null, as_of: null, detail: null }

type Bundle = BundleVerification | null

/** What the Proofs page shows: each bundle as laptop and host find it, and when the witness saw it. */
export class ProofList {
  private readonly options: ProofsOptions
  private readonly hostProofs: HostProofs
  /** Checks a bundle of a ship in its folder on this laptop. */
  readonly verify: (folder: string) => Promise<BundleVerification>

  constructor(options: ProofsOptions) {
    this.options = options
    this.hostProofs = new HostProofs(options)
    this.verify = cachedVerifier(() => {
      const own = readProofPublicKey(laptopProofPaths(options.home, ''))
      return trustKeys(own === null ? [] : [own], 'the ship key')
    })
  }

  async page(cursor: string | undefined): Promise<Output<'proofs.list'>> {
    const repository = this.options.repository()
    const selected = this.options.host()
    const host = selected?.host.name ?? null
    const page = await this.hostProofs.page(selected, cursor)
    const unreachable = host !== null && page.detail !== null
    if (host !== null && !unreachable) await this.options.watch.catchUp(host, page.bundles)
    const seen =
      host === null ? [] : this.seenBy(host, page.bundles, unreachable && cursor === undefined)
    const ships = repository === null ? [] : shipIds(repository).filter(reachedBy(cursor, page))
    const local = ships.slice(0, pageLength)
    const sorted = rowsOf({ cursor, page, seen, unreachable, local })
    const bundles = sorted.slice(0, endOfPage(sorted))
    const verified = await this.verifyShips(bundles, repository, local)
    const shipsSeen = repository === null ? [] : await this.shipsSeen(repository, verified)
    for (const row of bundles) {
      noteWitnessed(row, row.kind === 'ship' ? shipsSeen : seen)
      if (!unreachable) this.noteSighting(row, { host, repository })
    }
    const more = bundles.length < sorted.length || page.next !== null || ships.length > local.length
    return {
      witnesses: this.options.watch.views(),
      bundles,
      next_cursor: more ? (bundles.at(-1)?.run_id ?? null) : null,
      host: host === null ? null : { name: host, as_of: page.as_of, detail: page.detail },
    }
  }

  private async shipsSeen(
    repository: string,
    verified: readonly BundleVerification[],
  ): Promise<WitnessedLink[]> {
    const witness = shipWitness(repository)
    await this.options.watch.catchUp(witness, verified)
    return this.seenBy(witness, verified, false)
  }

  private noteSighting(
    { kind, run_id, host, laptop }: ProofRow,
    places: { readonly host: string | null; readonly repository: string | null },
  ): void {
    const { sightings } = this.options
    if (host !== null && places.host !== null)
      sightings.note({ place: places.host, kind, run_id }, host.state)
    if (laptop !== null && places.repository !== null)
      sightings.note({ place: places.repository, kind, run_id }, laptop.state)
  }

  /** Says of each row whether it runs, and verifies the ships that are on this laptop. */
  private async verifyShips(
    rows: readonly ProofRow[],
    repository: string | null,
    local: readonly string[],
  ): Promise<BundleVerification[]> {
    const verified: BundleVerification[] = []
    const active = this.options.active()
    for (const row of rows) {
      row.running = row.kind !== 'ship' && active.has(row.run_id)
      if (repository === null || row.kind !== 'ship' || !local.includes(row.run_id)) continue
      row.running = this.options.isRunning(repository, row.run_id)
      const checked = await this.verify(shipFolder(repository, row.run_id))
      verified.push(checked)
      row.laptop = brief(checked)
      await turn() // HQ stays quick while much is read
    }
    return verified
  }

  /** What the witness has seen, by chain and number, of these bundles. @param newest also of the newest it has seen */
  private seenBy(witness: string, bundles: readonly Bundle[], newest: boolean): WitnessedLink[] {
    const { home } = this.options
    try {
      const seen: WitnessedLink[] = []
      const linked = bundles.flatMap((bundle) =>
        bundle !== null && bundle.chain !== null && bundle.counter !== null
          ? [{ chain: bundle.chain, counter: bundle.counter }]
          : [],
      )
      for (const [chain, each] of Map.groupBy(linked, ({ chain: of }) => of)) {
        const counters = each.map(({ counter }) => counter)
        const range = { from: Math.min(...counters), to: Math.max(...counters) }
        seen.push(...readSeen({ home, host: witness, chain }, range))
      }
      const last = newest ? readWitness(home, witness) : null
      if (last !== null) {
        const from = Math.max(1, last.counter - pageLength + 1)
        seen.push(
          ...readSeen({ home, host: witness, chain: last.chain }, { from, to: last.counter }),
        )
      }
      return seen
    } catch {
      return [] // damaged: the witness raises that as an alarm, and nothing is claimed here
    }
  }
}

/** The bundles of the host, and a copy of the newest for when it is unreachable. */
class HostProofs {
  private readonly options: ProofsOptions

  constructor(options: ProofsOptions) {
    this.options = options
  }

  async page(host: OneHost | null, cursor: string | undefined): Promise<HostPage> {
    if (host === null) return noHost
    try {
      if (host.view().state !== 'online')
        return this.kept(host, `${host.host.name} cannot be reached.`)
      const reply = await host.client.proofBundles(
        { cursor, limit: pageLength },
        { limitMs: 30_000 },
      )
      const as_of = new Date().toISOString()
      if (cursor === undefined) this.keep(host, reply, as_of)
      return { bundles: reply.bundles, next: reply.next_cursor, as_of, detail: null }
    } catch (error) {
      return this.kept(host, toProblem(error).message)
    }
  }

  private keep(
    { host: { name, url } }: OneHost,
    { bundles }: ProofBundlesReply,
    as_of: string,
  ): void {
    const file = cacheFile(this.options.home, name)
    try {
      const known = { schema_version: 1, host: name, origin: url, as_of, bundles }
      writeJson(file, known, { mode: 0o600 })
    } catch (error) {
      this.options.log(`The last proofs of ${name} could not be kept: ${String(error)}`)
    }
  }

  private kept({ host: { name, url } }: OneHost, detail: string): HostPage {
    try {
      const known = readJson(cacheFile(this.options.home, name), cached, 'internal_error')
      return known === undefined || (known.origin ?? url) !== url
        ? { ...noHost, detail }
        : { bundles: known.bundles, next: null, as_of: known.as_of, detail }
    } catch {
      return { ...noHost, detail } // another version wrote it, or it is damaged: it is a copy
    }
  }
}

const isAfter = (id: string, cursor: string | undefined): boolean =>
  cursor === undefined || id < cursor
/** Whether a run belongs to this page: older than the page before, and not older than what the host listed. */
const reachedBy =
  (cursor: string | undefined, { next }: HostPage) =>
  (id: string): boolean =>
    isAfter(id, cursor) && (next === null || id >= next)

interface Known {
  readonly cursor: string | undefined
  readonly page: HostPage
  readonly seen: readonly WitnessedLink[]
  readonly unreachable: boolean
  /** Ids of the ships on this laptop that belong to the page. */
  readonly local: readonly string[]
}

/** A row per bundle that host, laptop or, while the host is unreachable, the witness knows; newest first. */
function rowsOf({ cursor, page, seen, unreachable, local }: Known): ProofRow[] {
  const rows = new Map<string, ProofRow>()
  const rowOf = (kind: ProofRow['kind'], run_id: string): ProofRow => {
    const key = `${run_id} ${kind}`
    const row = rows.get(key) ?? emptyRow(kind, run_id)
    rows.set(key, row)
    return row
  }
  for (const bundle of page.bundles)
    if (bundle.kind !== null && isAfter(bundle.run_id, cursor))
      rowOf(bundle.kind, bundle.run_id).host = brief(bundle)
  for (const { kind, run_id } of seen)
    if (isAfter(run_id, cursor) && (unreachable || rows.has(`${run_id} ${kind}`)))
      rowOf(kind, run_id)
  for (const id of local) rowOf('ship', id)
  return [...rows.values()].toSorted(
    (a, b) => b.run_id.localeCompare(a.run_id) || a.kind.localeCompare(b.kind),
  )
}

const emptyRow = (kind: ProofRow['kind'], run_id: string): ProofRow => ({
  kind,
  run_id,
  running: false,
  laptop: null,
  host: null,
  witnessed: null,
})

/** The bundles of one run stay on one page. */
function endOfPage(sorted: readonly ProofRow[]): number {
  let end = Math.min(pageLength, sorted.length)
  while (end < sorted.length && sorted[end]?.run_id === sorted[end - 1]?.run_id) end += 1
  return end
}

function noteWitnessed(row: ProofRow, seen: readonly WitnessedLink[]): void {
  const link = seen.find(({ kind, run_id }) => kind === row.kind && run_id === row.run_id)
  if (link === undefined) return
  const now = (row.kind === 'ship' ? row.laptop : row.host)?.manifest_sha256 ?? null
  const { counter, seen_at, pruned, manifest_sha256 } = link
  const same = now === null ? null : now === manifest_sha256
  row.witnessed = { counter, seen_at, pruned, same }
}

const brief = ({
  state,
  problems,
  files,
  pruned,
  counter,
  key_id,
  manifest_sha256,
  created_at,
}: BundleVerification): ProofRow['laptop'] => ({
  state,
  problems: problems.slice(0, maxListedProblems),
  files,
  pruned,
  counter,
  key_id,
  manifest_sha256,
  created_at,
})

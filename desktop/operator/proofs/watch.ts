/** The laptop as witness (docs/OPERATING_MODEL.md): remembers every chain, and raises an alarm when one changed. */
import type { StatusReply } from '#shared/api'
import type { WitnessView } from '#shared/bridge'
import { Problem, toProblem } from '#shared/errors'
import type { BundleVerification, ShownChain } from '#shared/proof'
import type { TrustedKey } from '#shared/signature'
import {
  checkSeenAgain,
  observe,
  readWitness,
  type Alarm,
  type Question,
} from '#ops/core/proof/witness'
import { acknowledgeAlarms, noteAlarms, readAlarms } from '#ops/core/proof/witness-alarms'
import { trustKeys } from '#ops/core/trust/trusted-keys'
import type { OneHost } from '../host/client.ts'
import { hostChain, shipChain, type Watched } from './chains.ts'

export interface WatchOptions {
  readonly home: string
  /** Root of the chosen repository; null when none is chosen. */
  readonly repository: () => string | null
  /** The selected host; null when none is enrolled. */
  readonly host: () => OneHost | null
  /** Whether more than one enrolled host has this name. */
  readonly isNameShared: (name: string) => boolean
  readonly log: (text: string) => void
}

/** Milliseconds between two checks while nothing happens, and between two checks of what was seen long ago. */
const calmMs = 30_000
const againMs = 300_000
/** Most pages in one check: of new bundles; of old ones by itself, and on request. The next check goes on. */
const maxPages = 4
const maxOldPages = { quiet: 1, whole: 40 }

/** What places a bundle in its chain. */
type Linked = Pick<BundleVerification, 'state' | 'chain' | 'counter'>

type Report = Awaited<ReturnType<Watched['read']>>

interface Standing {
  checkedAt: string | null
  problem: string | null
  /** Where the check of old bundles goes on. */
  next: number
  againAt: number
}

export class ProofWatch {
  private readonly options: WatchOptions
  private readonly standings = new Map<string, Standing>()
  private readonly known = new Map<string, Watched>()
  private readonly timer: NodeJS.Timeout
  private closed = false
  private checkedAt = 0
  private running: Promise<void> | null = null
  private active = ''

  constructor(options: WatchOptions) {
    this.options = options
    this.timer = setInterval(() => this.checkSoon(), calmMs)
    this.timer.unref()
  }

  /** Called with each answer of the host: checks soon when a run ended there, and now and then anyway. */
  notice(status: StatusReply): void {
    const now = status.active_runs.map(({ run_id }) => run_id).join(' ')
    const ended = this.active !== '' && now !== this.active
    this.active = now
    if (ended || Date.now() - this.checkedAt >= calmMs) this.checkSoon()
  }

  /** Checks every chain now. Never throws for a host that is unreachable. @param whole also what was seen long ago */
  async check(whole = false): Promise<void> {
    if (whole) await this.running // that one may have passed by what is requested
    this.running ??= this.checkAll(whole).finally(() => {
      this.running = null
    })
    await this.running
  }

  /**
   * Checks one chain now when a bundle that was just verified is newer than what the witness has seen of it, so that a
   * page with both tells one story. Never throws; a chain with an open alarm is left to the ordinary checks.
   */
  async catchUp(id: string, bundles: readonly Linked[]): Promise<void> {
    const chain = this.chains().find((each) => each.id === id)
    const behind = (): boolean => bundles.some((bundle) => this.isNews(id, bundle))
    if (chain === undefined || !behind()) return
    while (this.running !== null) await this.running
    if (this.closed || !behind()) return
    this.running = this.checkOne(chain, false).finally(() => {
      this.running = null
    })
    await this.running
  }

  private isNews(id: string, { state, chain, counter }: Linked): boolean {
    if (state !== 'verified' || chain === null || counter === null) return false
    const { home } = this.options
    try {
      if (readAlarms(home, id).open.length > 0) return false
      const witnessed = readWitness(home, id)
      return witnessed === null || (witnessed.chain === chain && witnessed.counter < counter)
    } catch {
      return false // what was remembered is damaged: the next check raises that as an alarm
    }
  }

  views(): WitnessView[] {
    return this.chains().map((chain) => this.view(chain))
  }

  /**
   * Takes what a chain shows now as true from here on.
   * @param saw what the person read; refused when more was found since
   * @throws {Problem} `not_found`, `invalid_request`
   */
  async acknowledge(
    id: string,
    reason: string,
    saw?: { readonly open: number; readonly shown_key_id: string | null },
  ): Promise<void> {
    const chain = this.chains().find((each) => each.id === id)
    if (chain === undefined)
      throw new Problem('not_found', `HQ watches no chain named ${JSON.stringify(id)}.`)
    await this.running
    // HQ checks all the time: nobody accepts an alarm, or a key, that came while they read of another one.
    const { home } = this.options
    const { open, shown } = readAlarms(home, id)
    const shownKey = shown?.key?.id ?? null
    if (saw !== undefined && (open.length !== saw.open || shownKey !== saw.shown_key_id))
      throw new Problem(
        'invalid_request',
        `More problems of ${chain.title} were found since this alarm was shown. ` +
          'Nothing was acknowledged; read the alarm again.',
      )
    acknowledgeAlarms({ home, host: id, reason, trustKey: chain.trust })
    await this.check()
  }

  close(): void {
    this.closed = true
    clearInterval(this.timer)
  }

  private checkSoon(): void {
    this.check().catch((error: unknown) => this.options.log(String(error)))
  }

  private chains(): Watched[] {
    const { home, isNameShared } = this.options
    const repository = this.options.repository()
    const host = this.options.host()
    return [
      ...(host === null ? [] : [hostChain(home, host, () => isNameShared(host.host.name))]),
      ...(repository === null ? [] : this.shipsIfThere(repository)),
    ]
  }

  private shipsIfThere(repository: string): Watched[] {
    try {
      return [this.remember(shipChain(this.options.home, repository))]
    } catch {
      return [] // the repository was moved or removed: the Overview says so
    }
  }

  private remember(watched: Watched): Watched {
    const before = this.known.get(watched.id) ?? watched
    this.known.set(watched.id, before)
    return before
  }

  private standingOf(id: string): Standing {
    const standing = this.standings.get(id) ?? {
      checkedAt: null,
      problem: null,
      next: 0,
      againAt: 0,
    }
    this.standings.set(id, standing)
    return standing
  }

  private async checkAll(whole: boolean): Promise<void> {
    this.checkedAt = Date.now()
    for (const chain of this.chains()) {
      if (this.closed) return
      await this.checkOne(chain, whole)
    }
  }

  private async checkOne(chain: Watched, whole: boolean): Promise<void> {
    const standing = this.standingOf(chain.id)
    try {
      await this.checkChain(chain, standing, whole)
    } catch (error) {
      standing.problem = this.failed(chain, toProblem(error))
    }
  }

  /** @throws what keeps the chain from being checked */
  private async checkChain(chain: Watched, standing: Standing, whole: boolean): Promise<void> {
    const { home } = this.options
    const first = await chain.read(readWitness(home, chain.id)?.counter ?? 0)
    learnKey(chain, first.key)
    const trusted = chain.trusted()
    const question: Question = {
      home,
      host: chain.id,
      keys: trustKeys(trusted === null ? [] : [trusted], `the key of ${chain.title}`),
    }
    const alarms = keyAlarms(chain, trusted, first.key)
    const { last, found } = await observeNew(chain, question, first)
    alarms.push(...found)
    const due = whole || Date.now() >= standing.againAt || standing.next > 0
    if (due && alarms.length === 0 && readWitness(home, chain.id) !== null)
      alarms.push(...(await checkOld(chain, question, { standing, whole })))
    noteAlarms({ home, host: chain.id, found: alarms, shown: shownBy(last) })
    standing.checkedAt = new Date().toISOString()
    standing.problem = null
  }

  /** @returns what the Proofs page says of it */
  private failed(chain: Watched, problem: Problem): string {
    // Files that cannot be read are as bad as a chain that was replaced: the alarm stays until a person has checked.
    if (problem.errorClass === 'proof_chain_unreadable') this.raise(chain.id, problem)
    else if (problem.errorClass === 'internal_error') {
      const { cause } = problem
      const inner = cause instanceof Error ? (cause.stack ?? problem.message) : problem.message
      this.options.log(`The proof of ${chain.title} could not be checked: ${inner}`)
    }
    return problem.message
  }

  private raise(id: string, problem: Problem): void {
    try {
      noteAlarms({
        home: this.options.home,
        host: id,
        found: [plainAlarm('witness_damaged', problem.message)],
        shown: null,
      })
    } catch (error) {
      this.options.log(`An alarm of ${id} could not be kept: ${String(error)}`)
    }
  }

  private view(chain: Watched): WitnessView {
    const { home } = this.options
    const standing = this.standingOf(chain.id)
    const { open, shown, acknowledged } = readAlarms(home, chain.id)
    return {
      id: chain.id,
      place: chain.place,
      title: chain.title,
      looked_at: standing.checkedAt,
      problem: standing.problem,
      key_id: chain.trusted()?.id ?? null,
      seen: seenOf(home, chain.id),
      open,
      shown_key_id: shown?.key?.id ?? null,
      acknowledged: acknowledged
        .slice(-10)
        .toReversed()
        .map(({ at, reason, alarms }) => ({
          at,
          reason,
          alarms: alarms.map(({ code, detail }) => ({ code, detail })),
        })),
    }
  }
}

/** The first key a chain ever shows is trusted from then on; another one only when a person acknowledges it. */
function learnKey(chain: Watched, key: TrustedKey | null): void {
  if (key === null || chain.trusted() !== null) return
  trustKeys([key], `the key of ${chain.title}`)
  chain.trust(key)
}

function keyAlarms(chain: Watched, trusted: TrustedKey | null, key: TrustedKey | null): Alarm[] {
  if (trusted === null || key?.id === trusted.id) return []
  const shows = key === null ? 'shows no key any more' : `shows key ${key.id}`
  const detail = `${chain.title} ${shows}; the one learned when it was enrolled is ${trusted.id}`
  return [plainAlarm('key_changed', detail)]
}

/** Reads what is new since the last check, at most so many pages; the next check goes on. */
async function observeNew(
  chain: Watched,
  question: Question,
  first: Report,
): Promise<{ last: Report; found: readonly Alarm[] }> {
  let last = first
  for (let page = 1; ; page += 1) {
    const { alarms, more } = observe({ ...question, report: last.report })
    if (alarms.length > 0 || !more || page >= maxPages) return { last, found: alarms }
    last = await chain.read(readWitness(question.home, chain.id)?.counter ?? 0)
  }
}

/** Reads again what was seen long ago. @param whole from the first bundle on, and many pages at once */
async function checkOld(
  chain: Watched,
  question: Question,
  { standing, whole }: { standing: Standing; whole: boolean },
): Promise<Alarm[]> {
  const alarms: Alarm[] = []
  if (whole) standing.next = 0
  for (let page = whole ? maxOldPages.whole : maxOldPages.quiet; page > 0; page -= 1) {
    const { report } = await chain.read(standing.next)
    const again = checkSeenAgain({ ...question, report, after: standing.next })
    alarms.push(...again.alarms)
    standing.next = again.next ?? 0
    if (again.next !== null) continue
    standing.againAt = Date.now() + againMs
    break
  }
  return alarms
}

function shownBy({ key, report }: Report): ShownChain {
  if (report === null) return { key, report }
  const { chain, counter, head } = report
  return { key, report: { chain, counter, head } }
}

function seenOf(home: string, id: string): WitnessView['seen'] {
  try {
    const witness = readWitness(home, id)
    if (witness === null) return null
    const { chain, counter, head, seen_at } = witness
    return { chain, counter, head, seen_at }
  } catch {
    return null // damaged: the next check raises that as an alarm
  }
}

const plainAlarm = (code: Alarm['code'], detail: string): Alarm => ({
  code,
  detail,
  run_id: null,
  file: null,
  counter: null,
})

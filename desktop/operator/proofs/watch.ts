import { createHash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type StatusReply } from '#shared/api'
import type { WitnessView } from '#shared/bridge'
import { Problem, toProblem } from '#shared/errors'
import type { ChainReport, ShownChain } from '#shared/proof'
import type { TrustedKey } from '#shared/signature'
import { trustKeys } from '#ops/core/trust/trusted-keys'
import { chainReader } from '#ops/core/proof/chain-report'
import { readProofPublicKey } from '#ops/core/proof/proof-key'
import { laptopProofPaths } from '#ops/base/paths/proof-paths'
import { lookAgain, observe, readWitness, type Alarm } from '#ops/core/proof/witness'
import {
  acknowledgeAlarms,
  trustedHostKey,
  trustedShipKey,
  trustHostKey,
  trustShipKey,
  noteAlarms,
  readAlarms,
} from '#ops/core/proof/witness-alarms'
import { hostClient, type HostTarget } from '../host/client.ts'

/** A chain that is watched: the host's, or the ships of this laptop. */
interface Watched {
  /** Under this name the witness remembers it. */
  readonly id: string
  readonly place: 'host' | 'laptop'
  readonly title: string
  read(
    after: number,
  ): Promise<{ readonly key: TrustedKey | null; readonly report: ChainReport | null }>
  /** The key that may sign it. null before one was learned. */
  believed(): TrustedKey | null
  /** Called with the first key it ever shows, and with another one only when a person acknowledges that. */
  readonly believe: (key: TrustedKey) => void
}

export interface ProofWatch {
  /** Called with each answer of the host: looks soon when something ended there, and now and then anyway. Quiet. */
  notice(status: StatusReply): void
  /** Looks at every chain now. Never throws for a host that is away. @param whole also at what was seen long ago */
  readonly look: (whole?: boolean) => Promise<void>
  views(): WitnessView[]
  /** @throws {Problem} `not_found`, `invalid_request` */
  acknowledge(
    id: string,
    reason: string,
    saw?: { readonly open: number; readonly shown_key_id: string | null },
  ): Promise<void>
  close(): void
}

export interface WatchOptions {
  readonly home: string
  /** Root of the chosen repository; null when none is chosen. */
  readonly repository: () => string | null
  /** Name of the enrolled host; null when none is. */
  readonly host: () => string | null
  /** null while the host is away. */
  readonly target: () => Promise<HostTarget | null>
  readonly log: (text: string) => void
}

/** Milliseconds between two looks while nothing happens, and between two looks at what was seen long ago. */
const calmMs = 30_000
const againMs = 300_000
/** Most pages in one look: of new bundles, of old ones, of old ones when a person asked. The next look goes on. */
const maxPages = 4
const maxOldPages = { quiet: 1, whole: 40 }
const askMs = 15_000

/** The witness's name for the ships of a repository. @param repository real path of its root */
export const shipWitness = (repository: string): string =>
  `ships of ${basename(repository).slice(0, 40)} ${createHash('sha256').update(repository).digest('hex').slice(0, 16)}`

function shipsOf(home: string, repository: string): Watched {
  const root = realpathSync(repository)
  const places = laptopProofPaths(home, root)
  const read = chainReader(join(root, 'artifacts'), places.chainFile, ['ship'])
  const id = shipWitness(root)
  return {
    id,
    place: 'laptop',
    title: `Ships of ${basename(root)}`,
    read: async (after) => ({ key: readProofPublicKey(places), report: await read(after) }),
    believed: () => trustedShipKey(home),
    believe: (key) => trustShipKey(home, key),
  }
}

const hostOf = (home: string, name: string, target: () => Promise<HostTarget | null>): Watched => ({
  id: name,
  place: 'host',
  title: name,
  read: async (after) => {
    const reached = await target()
    if (reached === null) throw new Problem('hostd_unreachable', `${name} cannot be reached.`)
    return await hostClient(async () => reached).proofChain(after, { limitMs: askMs })
  },
  believed: () => trustedHostKey(home, name),
  believe: (key) => trustHostKey(home, name, key),
})

const plainAlarm = (code: Alarm['code'], detail: string): Alarm => ({
  code,
  detail,
  run_id: null,
  file: null,
  counter: null,
})

interface Standing {
  lookedAt: string | null
  problem: string | null
  next: number
  againAt: number
}

/**
 * The laptop as witness (docs/OPERATING_MODEL.md): remembers how far each chain had come, and raises an alarm when one
 * was changed.
 */
export function watchProofs(options: WatchOptions): ProofWatch {
  const { home, log } = options
  const standings = new Map<string, Standing>()
  const known = new Map<string, Watched>()
  let closed = false
  let lookedAt = 0
  let running: Promise<void> | null = null
  let active = ''

  const standingOf = (id: string): Standing => {
    const standing = standings.get(id) ?? { lookedAt: null, problem: null, next: 0, againAt: 0 }
    standings.set(id, standing)
    return standing
  }
  const remember = (watched: Watched): Watched => {
    const before = known.get(watched.id) ?? watched
    known.set(watched.id, before)
    return before
  }
  const chains = (): Watched[] => {
    const repository = options.repository()
    const host = options.host()
    return [
      ...(host === null ? [] : [remember(hostOf(home, host, options.target))]),
      ...(repository === null ? [] : shipsIfThere(repository)),
    ]
  }
  const shipsIfThere = (repository: string): Watched[] => {
    try {
      return [remember(shipsOf(home, repository))]
    } catch {
      return [] // the repository was moved or removed: the Overview says so
    }
  }

  /** One look at one chain. @throws what keeps it from being looked at */
  const lookAt = async (chain: Watched, standing: Standing, whole: boolean): Promise<void> => {
    const alarms: Alarm[] = []
    let last = await chain.read(readWitness(home, chain.id)?.counter ?? 0)
    if (chain.believed() === null && last.key !== null) {
      trustKeys([last.key], `the key of ${chain.title}`)
      chain.believe(last.key)
    }
    const believed = chain.believed()
    if (believed !== null && last.key?.id !== believed.id)
      alarms.push(
        plainAlarm(
          'key_changed',
          `${chain.title} ${last.key === null ? 'shows no key any more' : `shows key ${last.key.id}`}; the one learned when it was enrolled is ${believed.id}`,
        ),
      )
    const question = {
      home,
      host: chain.id,
      keys: trustKeys(believed === null ? [] : [believed], `the key of ${chain.title}`),
    }
    for (let page = 1; ; page += 1) {
      const { alarms: found, more } = observe({ ...question, report: last.report })
      alarms.push(...found)
      if (found.length > 0 || !more || page >= maxPages) break
      last = await chain.read(readWitness(home, chain.id)?.counter ?? 0)
    }
    const witness = readWitness(home, chain.id)
    if (
      witness !== null &&
      alarms.length === 0 &&
      (whole || Date.now() >= standing.againAt || standing.next > 0)
    ) {
      if (whole) standing.next = 0
      for (let page = whole ? maxOldPages.whole : maxOldPages.quiet; page > 0; page -= 1) {
        const { report } = await chain.read(standing.next)
        const again = lookAgain({ ...question, report, after: standing.next })
        alarms.push(...again.alarms)
        standing.next = again.next ?? 0
        if (again.next !== null) continue
        standing.againAt = Date.now() + againMs
        break
      }
    }
    const { report } = last
    const shown: ShownChain = {
      key: last.key,
      report:
        report === null
          ? null
          : { chain: report.chain, counter: report.counter, head: report.head },
    }
    noteAlarms({ home, host: chain.id, found: alarms, shown })
    standing.lookedAt = new Date().toISOString()
    standing.problem = null
  }

  const lookOnce = async (whole: boolean): Promise<void> => {
    lookedAt = Date.now()
    for (const chain of chains()) {
      if (closed) return
      const standing = standingOf(chain.id)
      try {
        await lookAt(chain, standing, whole)
      } catch (error) {
        const problem = toProblem(error)
        standing.problem = problem.message
        // Its own files or the chain's cannot be read: that is as bad as a chain that was replaced, and stays until somebody has looked.
        if (problem.errorClass === 'proof_chain_unreadable') raise(chain.id, problem)
        else if (problem.errorClass === 'internal_error')
          log(
            `Looking at the proof of ${chain.title} failed: ${problem.cause instanceof Error ? (problem.cause.stack ?? problem.message) : problem.message}`,
          )
      }
    }
  }
  const raise = (id: string, problem: Problem): void => {
    try {
      noteAlarms({
        home,
        host: id,
        found: [plainAlarm('witness_damaged', problem.message)],
        shown: null,
      })
    } catch (error) {
      log(`An alarm of ${id} could not be kept: ${String(error)}`)
    }
  }
  const look = async (whole = false): Promise<void> => {
    if (whole) await running // that one may have passed by what is asked for
    await (running ??= lookOnce(whole).finally(() => {
      running = null
    }))
  }
  const soon = (): void => {
    look().catch((error: unknown) => log(String(error)))
  }
  const timer = setInterval(soon, calmMs)
  timer.unref()

  const view = (chain: Watched): WitnessView => {
    const standing = standingOf(chain.id)
    const { open, shown, acknowledged } = readAlarms(home, chain.id)
    let witness: ReturnType<typeof readWitness> = null
    try {
      witness = readWitness(home, chain.id)
    } catch {
      witness = null // damaged: the next look raises that as an alarm
    }
    return {
      id: chain.id,
      place: chain.place,
      title: chain.title,
      looked_at: standing.lookedAt,
      problem: standing.problem,
      key_id: chain.believed()?.id ?? null,
      seen:
        witness === null
          ? null
          : {
              chain: witness.chain,
              counter: witness.counter,
              head: witness.head,
              seen_at: witness.seen_at,
            },
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

  return {
    notice: (status) => {
      const now = status.active_runs.map(({ run_id }) => run_id).join(' ')
      const ended = active !== '' && now !== active
      active = now
      if (ended || Date.now() - lookedAt >= calmMs) soon()
    },
    look,
    views: () => chains().map(view),
    acknowledge: async (id, reason, saw) => {
      const chain = chains().find((each) => each.id === id)
      if (chain === undefined)
        throw new Problem('not_found', `HQ watches no chain called ${JSON.stringify(id)}.`)
      await running
      // HQ looks again all the time: nobody accepts an alarm, or a key, that came while they read of another one.
      const { open, shown } = readAlarms(home, id)
      if (
        saw !== undefined &&
        (open.length !== saw.open || (shown?.key?.id ?? null) !== saw.shown_key_id)
      )
        throw new Problem(
          'invalid_request',
          `More was found of ${chain.title} since this was shown. Nothing was acknowledged; read it again.`,
        )
      acknowledgeAlarms({ home, host: id, reason, believe: chain.believe })
      await look()
    },
    close: () => {
      closed = true
      clearInterval(timer)
    },
  }
}

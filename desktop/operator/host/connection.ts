import { setTimeout as delay } from 'node:timers/promises'
import { statusReply } from '#shared/api'
import type { HostConnection } from '#shared/bridge'
import { Problem, toProblem, type ErrorClass } from '#shared/errors'
import { askHostJson, type HostTarget } from './http.ts'
import { hostOrigin } from '../base/host-address.ts'
import { hostTokenKey, type Keystore } from '../settings/keystore.ts'
import type { SettingsStore } from '../settings/settings.ts'
import { readStatusCache, writeStatusCache, type KnownStatus } from './status-cache.ts'

export interface ConnectionOptions {
  readonly home: string
  readonly settings: SettingsStore
  readonly keystore: Keystore
  /** For what a person should know and no reply can carry. */
  readonly log: (text: string) => void
  /** After each answer of the host. */
  readonly onStatus: (known: KnownStatus) => void
}

type View = Omit<HostConnection, 'deploy_blocked'>
export interface Connection {
  view(): View
  known(): KnownStatus | null
  /** The host, ready to be asked. @throws {Problem} `token_not_configured` when none is enrolled or its token is not set */
  readonly target: () => Promise<HostTarget>
  /** Asks now instead of at the next turn; after a settings change this starts afresh. Resolves when the answer is in. */
  refresh(): Promise<void>
  close(): Promise<void>
}

/** Milliseconds between two questions: while something runs, while nothing does. */
const busyMs = 1000
const calmMs = 3000
/** The host away: first and longest pause. */
const awayMs = 1000
const longestMs = 30_000
/** The copy on disk is at most this old, in milliseconds, while the host answers. */
const cacheEveryMs = 10_000

const away = new Set<ErrorClass>(['hostd_unreachable'])

/** Asks the host for its status for ever, with growing and jittered pauses while it is away, and remembers the last answer. */
export function connectHost(options: ConnectionOptions): Connection {
  const stop = new AbortController()
  let wake = new AbortController()
  let enrolled: { name: string; origin: string } | null = null
  let view: View = {
    name: null,
    url: null,
    state: 'not_enrolled',
    detail: 'No host is enrolled.',
    latency_ms: null,
    as_of: null,
  }
  let known: KnownStatus | null = null
  let savedAt = 0
  let failures = 0
  let asking: Promise<void> | null = null
  /** Fires when another host is enrolled: an answer of the former one is no longer wanted. */
  let current = new AbortController()

  const adopt = (): void => {
    const { host } = options.settings.read()
    const origin = host && hostOrigin(host.url)
    if (host?.name === enrolled?.name && origin === (enrolled?.origin ?? null)) return
    save()
    current.abort()
    current = new AbortController()
    enrolled = host && origin !== null ? { name: host.name, origin } : null
    known = enrolled && readStatusCache(options.home, enrolled)
    savedAt = Date.now()
    failures = 0
    view = {
      name: enrolled?.name ?? null,
      url: enrolled?.origin ?? null,
      state: enrolled ? 'connecting' : 'not_enrolled',
      detail: enrolled ? null : 'No host is enrolled.',
      latency_ms: null,
      as_of: known?.as_of ?? null,
    }
  }
  const save = (): void => {
    if (!enrolled || !known) return
    try {
      writeStatusCache(options.home, enrolled, known)
      savedAt = Date.now()
    } catch (error) {
      options.log(`The last status of ${enrolled.name} could not be kept: ${String(error)}`)
    }
  }
  const target = async (): Promise<HostTarget> => {
    adopt()
    if (!enrolled)
      throw new Problem('token_not_configured', 'No host is enrolled, so nothing was asked of one.')
    const token = await options.keystore.get(hostTokenKey(enrolled.origin))
    if (token === null)
      throw new Problem(
        'token_not_configured',
        `The admin token of ${enrolled.name} is not set, so nothing was asked of it.`,
      )
    return { ...enrolled, token }
  }

  const ask = async (): Promise<void> => {
    let asked: HostTarget | null = null
    try {
      asked = await target()
      const started = performance.now()
      const wanted = current.signal
      const status = await askHostJson(
        asked,
        { path: '/api/status', timeoutMs: 5000, signal: AbortSignal.any([stop.signal, wanted]) },
        statusReply,
      )
      if (wanted.aborted) return
      known = { status, as_of: new Date().toISOString() }
      view = {
        name: asked.name,
        url: asked.origin,
        state: 'online',
        detail: null,
        latency_ms: Math.round((performance.now() - started) * 10) / 10,
        as_of: known.as_of,
      }
      failures = 0
      if (Date.now() - savedAt >= cacheEveryMs) save()
      options.onStatus(known)
    } catch (error) {
      const problem = toProblem(error)
      if (stop.signal.aborted || problem.errorClass === 'cancelled') return
      if (problem.errorClass === 'internal_error')
        options.log(
          `Asking the host failed: ${problem.cause instanceof Error ? (problem.cause.stack ?? problem.message) : problem.message}`,
        )
      if (failures === 0) save()
      failures += 1
      const state =
        asked === null ? 'not_enrolled' : away.has(problem.errorClass) ? 'offline' : 'refused'
      view = {
        ...view,
        state,
        detail: problem.message,
        latency_ms: null,
        as_of: known?.as_of ?? null,
      }
    }
  }
  const askOnce = (): Promise<void> =>
    (asking ??= ask().finally(() => {
      asking = null
    }))

  const pauseMs = (): number => {
    if (failures === 0) return known && known.status.active_runs.length > 0 ? busyMs : calmMs
    const full = Math.min(longestMs, awayMs * 2 ** Math.min(failures - 1, 10))
    return full / 2 + (Math.random() * full) / 2
  }
  const loop = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await askOnce()
      wake = new AbortController()
      await delay(pauseMs(), undefined, {
        ref: false,
        signal: AbortSignal.any([stop.signal, wake.signal]),
      }).catch(() => undefined) // woken: the loop looks why
    }
  }
  const looping = loop()

  return {
    view: () => view,
    known: () => known,
    target,
    refresh: async () => {
      adopt()
      // An answer that is on its way may be older than what the caller wants to see.
      await asking
      await askOnce()
      wake.abort()
    },
    close: async () => {
      stop.abort()
      await looping
      save()
    },
  }
}

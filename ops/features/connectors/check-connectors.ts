import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { HostSettings } from '#shared/config'
import type { ConnectorReport, ConnectorState } from '#shared/connectors'
import { connectorNames, connectors, type ConnectorName } from '#shared/connectors/list'
import { errorRule, Problem, toProblem, type ErrorClass } from '#shared/errors'
import { secretsFolder } from '#ops/base/paths/connector-paths'
import type { HostPaths } from '#ops/base/paths/paths'
import { redact } from '#ops/base/redact/redaction'
import { candidateOf } from './common/secret-folder.ts'
import { hostConnectors } from './registry.ts'

/** What a check needs to know about its host. */
interface Host {
  readonly settings: HostSettings
  readonly paths: Pick<HostPaths, 'etc'>
  readonly signal: AbortSignal
  /** Only this connector; null: all. */
  readonly only?: ConnectorName | null
  /** Where a new secret waits for its proof, that one is checked and not the one in use. */
  readonly candidates?: boolean
}

/**
 * Checks the connectors at once, live. It reads their secrets: call it in a process that has no further rights.
 * @returns one report of each, in the order of `connectorNames`
 * @throws {Problem} `cancelled` when `signal` fires, and every class that is not a state of a connector
 */
export const checkConnectors = (host: Host): Promise<ConnectorReport[]> =>
  Promise.all(
    connectorNames
      .filter((name) => (host.only ?? name) === name)
      .map((name) => reportOf(name, host)),
  )

/** The state that an error class means. Any other class is a defect, not a state of a connector. */
const states: Partial<Record<ErrorClass, ConnectorState>> = {
  CONNECTOR_NOT_CONFIGURED: 'not_configured',
  connector_secret_unsafe: 'invalid',
  connector_secret_invalid: 'invalid',
  connector_refused: 'invalid',
  connector_scope_missing: 'invalid',
  config_invalid: 'invalid',
  connector_expired: 'expired',
  connector_insecure: 'unreachable',
  connector_answer_unexpected: 'unreachable',
  connector_unreachable: 'unreachable',
}

// `Name` ties the connector to its settings, which a union of names cannot.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
async function reportOf<Name extends ConnectorName>(
  name: Name,
  { settings, paths, signal, candidates = false }: Host,
): Promise<ConnectorReport> {
  const connector = hostConnectors[name]
  const { mode, timeout_seconds }: HostSettings[ConnectorName] = settings[name]
  const rules = { strict: settings.launcher === 'systemd' }
  const folder = secretsFolder(paths)
  const locate = (ref: string): string => {
    const candidate = join(folder, candidateOf(ref))
    return candidates && lstatSync(candidate, { throwIfNoEntry: false })
      ? candidate
      : join(folder, ref)
  }
  const started = performance.now()
  const about = (): Pick<ConnectorReport, 'name' | 'mode' | 'checked_at' | 'duration_ms'> => ({
    name,
    mode,
    checked_at: new Date().toISOString(),
    duration_ms: Math.round(performance.now() - started),
  })
  try {
    const { detail, account, expiresAt } = await withTimeLimit(
      (limit) => connector.check({ settings: settings[name], locate, rules, signal: limit }),
      { title: connectors[name].title, seconds: timeout_seconds, outer: signal },
    )
    return {
      ...about(),
      state: 'ready',
      error_class: null,
      next_auto_fix: null,
      detail: redact.text(detail),
      ...(account === undefined ? {} : { account }),
      ...(expiresAt === undefined ? {} : { expires_at: expiresAt.toISOString() }),
    }
  } catch (error) {
    const { errorClass, message } = toProblem(error)
    const state = states[errorClass]
    if (state === undefined) throw error
    return {
      ...about(),
      state,
      error_class: errorClass,
      next_auto_fix: errorRule(errorClass).next_auto_fix,
      detail: redact.text(message).slice(0, 2000),
    }
  }
}

interface TimeLimit {
  readonly title: string
  readonly seconds: number
  readonly outer: AbortSignal
}

/**
 * Ends at once when the limit is reached or `outer` fires, whatever the work does then.
 * @throws {Problem} `connector_unreachable` when it takes longer, `cancelled` when `outer` fires
 */
async function withTimeLimit<T>(
  work: (limit: AbortSignal) => Promise<T>,
  { title, seconds, outer }: TimeLimit,
): Promise<T> {
  const ended = new AbortController()
  const late = async (): Promise<never> => {
    try {
      await delay(seconds * 1000, undefined, { signal: AbortSignal.any([outer, ended.signal]) })
    } catch (error) {
      if (!outer.aborted) throw error // the work has ended first, and nothing waits for this
      throw new Problem('cancelled', 'The run was cancelled while it checked the connectors.', {
        cause: error,
      })
    }
    throw new Problem(
      'connector_unreachable',
      `${title} gave no answer within ${seconds} s. It is not known whether its secret is valid.`,
    )
  }
  const limit = new AbortController()
  const limited = late()
  limited.catch((error: unknown) => limit.abort(error)) // the race below reports it
  try {
    return await Promise.race([work(limit.signal), limited])
  } finally {
    ended.abort()
  }
}

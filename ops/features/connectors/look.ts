import { setTimeout as delay } from 'node:timers/promises'
import {
  connectorNames,
  type ConnectorName,
  type ConnectorReport,
  type ConnectorState,
} from '#shared/connectors'
import { errorRule, Problem, toProblem, type ErrorClass } from '#shared/errors'
import type { HostSettings } from '#shared/config'
import type { HostPaths } from '#ops/base/paths/paths'
import { redact } from '#ops/base/redact/redaction'
import { checkKajabi } from './kajabi-check.ts'

/** What a failure means for the connector. A class that is not here is a defect, and no state of a connector. */
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

const titles: Record<ConnectorName, string> = { kajabi: 'Kajabi', gmail: 'Gmail' }

/**
 * Looks at both connectors at once, live. Reads their secrets: called in a process that has no more rights than that needs.
 *
 * @returns one report of each, in the order of `connectorNames`
 * @throws {Problem} `cancelled` when `signal` fires, and whatever is no state of a connector
 */
export async function lookAtConnectors(
  settings: Pick<HostSettings, 'kajabi' | 'gmail' | 'launcher'>,
  paths: Pick<HostPaths, 'etc'>,
  signal: AbortSignal,
): Promise<ConnectorReport[]> {
  const { kajabi, gmail } = settings
  const rules = { strict: settings.launcher === 'systemd' }
  const work: Record<ConnectorName, (limit: AbortSignal) => Promise<string>> = {
    kajabi: (limit) => checkKajabi(kajabi, paths, rules, limit),
    // Only the library that is needed is loaded.
    gmail: async (limit) =>
      await (
        gmail.mode === 'imap'
          ? (await import('./gmail-imap-check.ts')).checkGmailImap
          : (await import('./gmail-token-check.ts')).checkGmailToken
      )(gmail, paths, rules, limit),
  }
  return await Promise.all(
    connectorNames.map((name) => report(name, { kajabi, gmail }[name], work[name], signal)),
  )
}

async function report(
  name: ConnectorName,
  { mode, timeout_seconds }: { mode: ConnectorReport['mode']; timeout_seconds: number },
  work: (limit: AbortSignal) => Promise<string>,
  signal: AbortSignal,
): Promise<ConnectorReport> {
  const started = performance.now()
  const about = (): Pick<ConnectorReport, 'name' | 'mode' | 'checked_at' | 'duration_ms'> => ({
    name,
    mode,
    checked_at: new Date().toISOString(),
    duration_ms: Math.round(performance.now() - started),
  })
  try {
    const detail = await inTime(titles[name], timeout_seconds, work, signal)
    return {
      ...about(),
      state: 'ready',
      error_class: null,
      next_auto_fix: null,
      detail: redact.text(detail),
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

/** @throws {Problem} `connector_unreachable` when it takes longer, `cancelled` when `outer` fires; at once, whatever the work does then */
async function inTime(
  title: string,
  seconds: number,
  work: (limit: AbortSignal) => Promise<string>,
  outer: AbortSignal,
): Promise<string> {
  const over = new AbortController()
  const late = async (): Promise<never> => {
    try {
      await delay(seconds * 1000, undefined, { signal: AbortSignal.any([outer, over.signal]) })
    } catch (error) {
      if (!outer.aborted) throw error // the work has ended first, and nobody waits for this
      throw new Problem('cancelled', 'The run was cancelled while it looked at the connectors.', {
        cause: error,
      })
    }
    throw new Problem(
      'connector_unreachable',
      `${title} gave no answer within ${seconds} s. Nothing is known of its secret.`,
    )
  }
  const limit = new AbortController()
  const limited = late()
  limited.catch((error: unknown) => limit.abort(error)) // the race below tells of it
  try {
    return await Promise.race([work(limit.signal), limited])
  } finally {
    over.abort()
  }
}

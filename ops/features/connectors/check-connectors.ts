import { lstatSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { HostSettings } from '#shared/config'
import type { ConnectorReport, ConnectorState } from '#shared/connectors'
import { connectors, type ConnectorName } from '#shared/connectors/list'
import { usedConnectors } from '#shared/connectors/used'
import { errorRule, toProblem, type ErrorClass } from '#shared/errors'
import { secretsFolder } from '#ops/base/paths/connector-paths'
import type { HostPaths } from '#ops/base/paths/paths'
import { redact } from '#ops/base/redact/redaction'
import type { CheckRequest } from './common/connector.ts'
import { readSecretFile, SecretProblem } from './common/read-secret.ts'
import { candidateOf } from './common/secret-folder.ts'
import { withTimeLimit } from './common/time-limit.ts'
import type { Renewal } from './keep-renewed.ts'
import { hostConnectors } from './registry.ts'

/** What a check needs to know about its host. */
export interface Host {
  readonly settings: HostSettings
  readonly paths: Pick<HostPaths, 'etc'>
  readonly signal: AbortSignal
  /** Only these connectors, in this order; absent: all that the host uses. */
  readonly only?: readonly ConnectorName[]
  /** Where a new secret waits for its proof, that one is checked and not the one in use. */
  readonly candidates?: boolean
  /** Takes a secret that its service renewed. This process must not write it itself. */
  readonly onRenewed?: (renewal: Renewal) => void
  /** The secrets of this connector are not renewed any more: another process may use them. */
  readonly onExchanged?: (name: ConnectorName) => void
}

/**
 * Checks the connectors at once, live. It reads their secrets: call it in a process that has no further rights.
 * @returns one report of each, in order
 * @throws {Problem} `cancelled` when `signal` fires, and every class that is not a state of a connector
 */
export const checkConnectors = async (host: Host): Promise<ConnectorReport[]> =>
  (await judgeConnectors(host)).map(({ report }) => report)

/** The same, with what each report is about. @throws {Problem} the same */
export const judgeConnectors = (host: Host): Promise<Checked[]> =>
  Promise.all(
    (host.only ?? usedConnectors(host.settings)).map((name) => checkConnector(name, host)),
  )

/** What a connector is given for its work. @param signal ends it */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- as below
export function requestOf<Name extends ConnectorName>(
  name: Name,
  { settings, paths, candidates = false, onRenewed, onExchanged }: Host,
  signal: AbortSignal,
): CheckRequest<Name> {
  const folder = secretsFolder(paths)
  const locate = (ref: string): string => {
    const candidate = join(folder, candidateOf(ref))
    const waits = candidates && lstatSync(candidate, { throwIfNoEntry: false }) !== undefined
    return waits ? candidate : join(folder, ref)
  }
  const rules = { strict: settings.launcher === 'systemd' }
  return {
    settings: settings[name],
    rules,
    signal,
    locate,
    exchange: async (ref, kind, work) => {
      const path = locate(ref)
      try {
        const { value, sha256 } = readSecretFile(path, kind, rules)
        const { result, renewed } = await work(value)
        if (renewed !== null) {
          const content = JSON.stringify(renewed)
          onRenewed?.({ name, file: basename(path), was: sha256, content })
        }
        return result
      } finally {
        onExchanged?.(name)
      }
    },
  }
}

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

/** How a connector is, and which secrets that is a verdict about. */
interface Checked {
  readonly report: ConnectorReport
  /** The files that a problem is about; empty: all that were used. */
  readonly about: readonly string[]
}

// `Name` ties the connector to its settings, which a union of names cannot.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
async function checkConnector<Name extends ConnectorName>(
  name: Name,
  host: Host,
): Promise<Checked> {
  const { settings, signal } = host
  const connector = hostConnectors[name]
  const { mode, timeout_seconds }: HostSettings[ConnectorName] = settings[name]
  const started = performance.now()
  const about = (): Pick<ConnectorReport, 'name' | 'mode' | 'checked_at' | 'duration_ms'> => ({
    name,
    mode,
    checked_at: new Date().toISOString(),
    duration_ms: Math.round(performance.now() - started),
  })
  try {
    const { detail, account, expiresAt } = await withTimeLimit(
      (limit) => connector.check(requestOf(name, host, limit)),
      { title: connectors[name].title, seconds: timeout_seconds, outer: signal },
    )
    const report: ConnectorReport = {
      ...about(),
      state: 'ready',
      error_class: null,
      next_auto_fix: null,
      detail: redact.text(detail),
      ...(account === undefined ? {} : { account }),
      ...(expiresAt === undefined ? {} : { expires_at: expiresAt.toISOString() }),
    }
    return { report, about: [] }
  } catch (error) {
    const { errorClass, message } = toProblem(error)
    const state = states[errorClass]
    if (state === undefined) throw error
    const report: ConnectorReport = {
      ...about(),
      state,
      error_class: errorClass,
      next_auto_fix: errorRule(errorClass).next_auto_fix,
      detail: redact.text(message).slice(0, 2000),
    }
    return { report, about: error instanceof SecretProblem ? error.files : [] }
  }
}

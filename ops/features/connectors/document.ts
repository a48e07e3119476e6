import type { ConnectorReport, ConnectorsResult } from '#shared/connectors'
import { connectors } from '#shared/connectors/list'
import type { ErrorClass } from '#shared/errors'
import type { CheckResult } from '#shared/result'
import { resultFieldsOf } from '#ops/core/pipeline/documents'

export interface DocumentFacts {
  readonly kind: ConnectorsResult['kind']
  readonly runId: string
  readonly startedAt: string
  readonly artifacts: Record<string, string>
}

const stateText: Record<ConnectorReport['state'], string> = {
  not_configured: 'not configured',
  invalid: 'invalid',
  expired: 'expired',
  unreachable: 'not known',
  ready: 'ready',
}

export const toCheck = ({
  name,
  state,
  detail,
  next_auto_fix,
  duration_ms,
}: ConnectorReport): CheckResult => ({
  name,
  status: state === 'ready' ? 'PASS' : 'FAIL',
  detail: `${stateText[state]}. ${detail}`,
  remedy: next_auto_fix,
  duration_ms,
})

/** Why the connectors are not all ready. */
interface NotReady {
  /** The connector that it comes from. */
  readonly name: string
  readonly errorClass: ErrorClass
  /** Which connectors are not ready, and why. */
  readonly detail: string
}

/**
 * The error class of the document. Phase 0 reports CONNECTOR_NOT_CONFIGURED for everything that a person must first set
 * right at a connector. A peer that does not answer now keeps its own class.
 * @returns null when every connector is ready
 */
export function failureOf(
  kind: ConnectorsResult['kind'],
  reports: readonly ConnectorReport[],
): NotReady | null {
  const notReady = reports.filter(({ state }) => state !== 'ready')
  const first = notReady.find(({ state }) => state !== 'unreachable') ?? notReady[0]
  if (first?.error_class == null) return null
  return {
    name: first.name,
    errorClass:
      kind === 'phase0' && first.state !== 'unreachable'
        ? 'CONNECTOR_NOT_CONFIGURED'
        : first.error_class,
    detail: notReady
      .map(
        ({ name, state, detail }) => `${connectors[name].title} is ${stateText[state]}: ${detail}`,
      )
      .join(' '),
  }
}

/** The result of a check of all connectors: PASS if and only if all are ready. */
export function connectorsDocument(
  { kind, runId, startedAt, artifacts }: DocumentFacts,
  reports: readonly ConnectorReport[],
): ConnectorsResult {
  const failure = failureOf(kind, reports)
  return {
    ...resultFieldsOf(
      { runId, startedAt, artifacts },
      failure === null ? null : { step: failure.name, errorClass: failure.errorClass },
    ),
    kind,
    checks: reports.map(toCheck),
    connectors: [...reports],
  }
}

import type { ConnectorReport, ConnectorsResult } from '#shared/connectors'
import type { ErrorClass, Problem } from '#shared/errors'
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

/**
 * The error class of the document, and the connector that it comes from. Phase 0 reports CONNECTOR_NOT_CONFIGURED for
 * everything that a person must first set right at a connector. A peer that does not answer now keeps its own class.
 */
function failureOf(
  kind: ConnectorsResult['kind'],
  reports: readonly ConnectorReport[],
): { name: string; errorClass: ErrorClass } | null {
  const notReady = reports.filter(({ state }) => state !== 'ready')
  const first = notReady.find(({ state }) => state !== 'unreachable') ?? notReady[0]
  if (first?.error_class == null) return null
  return {
    name: first.name,
    errorClass:
      kind === 'phase0' && first.state !== 'unreachable'
        ? 'CONNECTOR_NOT_CONFIGURED'
        : first.error_class,
  }
}

const common = (
  { kind, runId, startedAt, artifacts }: DocumentFacts,
  failure: { step: string | null; errorClass: ErrorClass } | null,
) => ({
  ...resultFieldsOf({ runId, startedAt, artifacts }, failure),
  kind,
})

/** The result of a check of all connectors: PASS if and only if all are ready. */
export function connectorsDocument(
  about: DocumentFacts,
  reports: readonly ConnectorReport[],
): ConnectorsResult {
  const failure = failureOf(about.kind, reports)
  return {
    ...common(
      about,
      failure === null ? null : { step: failure.name, errorClass: failure.errorClass },
    ),
    checks: reports.map(toCheck),
    connectors: [...reports],
  }
}

/** The result when the connectors could not be checked. */
export const uncheckedDocument = (
  about: DocumentFacts,
  { errorClass, message }: Problem,
): ConnectorsResult => ({
  ...common(about, { step: null, errorClass }),
  checks: [],
  connectors: null,
  detail: message,
})

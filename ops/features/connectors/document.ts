import type { ConnectorReport, ConnectorsResult } from '#shared/connectors'
import type { ErrorClass, Problem } from '#shared/errors'
import type { CheckResult } from '#shared/result'
import { resultFieldsOf } from '#ops/core/pipeline/documents'

interface About {
  readonly kind: ConnectorsResult['kind']
  readonly runId: string
  readonly startedAt: string
  readonly artifacts: Record<string, string>
}

const stateWords: Record<ConnectorReport['state'], string> = {
  not_configured: 'not configured',
  invalid: 'invalid',
  expired: 'expired',
  unreachable: 'not known',
  ready: 'ready',
}

const toCheck = ({
  name,
  state,
  detail,
  next_auto_fix,
  duration_ms,
}: ConnectorReport): CheckResult => ({
  name,
  status: state === 'ready' ? 'PASS' : 'FAIL',
  detail: `${stateWords[state]}. ${detail}`,
  remedy: next_auto_fix,
  duration_ms,
})

/**
 * The class of the whole, and the connector it is about. Phase 0 has one word for everything that somebody must first put
 * right at a connector (design §9); that a peer does not answer now is said as it is.
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
  { kind, runId, startedAt, artifacts }: About,
  failure: { step: string | null; errorClass: ErrorClass } | null,
) => ({
  ...resultFieldsOf({ runId, startedAt, artifacts }, failure),
  kind,
})

/** The result of a look at both connectors: PASS if and only if both are ready. */
export function connectorsDocument(
  about: About,
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

/** The result of a look that found nothing out. */
export const unseenDocument = (
  about: About,
  { errorClass, message }: Problem,
): ConnectorsResult => ({
  ...common(about, { step: null, errorClass }),
  checks: [],
  connectors: null,
  detail: message,
})

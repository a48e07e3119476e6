import type { HostSettings } from '#shared/config'
import { connectors, type ConnectorName } from '#shared/connectors/list'
import { Problem, toProblem } from '#shared/errors'
import { redact } from '#ops/base/redact/redaction'
import { requestOf, type Host } from './check-connectors.ts'
import { withTimeLimit } from './common/time-limit.ts'
import { hostConnectors } from './registry.ts'

/** What became of a secret at its service. */
export interface Withdrawal {
  /** The service accepts it no longer; null: the service offers no way to say so. */
  readonly done: boolean | null
  /** For a person; empty when there is nothing to say. */
  readonly detail: string
}

/**
 * Has the service of a connector forget the secret in use. It reads the secret: call it in a process that has no
 * further rights.
 * @throws {Problem} `cancelled` when the signal fires
 */
// `Name` ties the connector to its settings, which a union of names cannot.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export async function withdrawConnector<Name extends ConnectorName>(
  name: Name,
  host: Host,
): Promise<Withdrawal> {
  const { revoke } = hostConnectors[name]
  if (revoke === undefined) return { done: null, detail: '' }
  const { timeout_seconds: seconds }: HostSettings[ConnectorName] = host.settings[name]
  try {
    const detail = await withTimeLimit((limit) => revoke(requestOf(name, host, limit)), {
      title: connectors[name].title,
      seconds,
      outer: host.signal,
    })
    if (detail === null) return { done: null, detail: '' }
    return { done: true, detail: redact.text(detail) }
  } catch (error) {
    const { errorClass, message } = toProblem(error)
    if (!(error instanceof Problem) || errorClass === 'cancelled') throw error
    // Without a secret there is nothing to withdraw.
    const done = errorClass === 'CONNECTOR_NOT_CONFIGURED' ? null : false
    return { done, detail: done === null ? '' : redact.text(message).slice(0, 2000) }
  }
}

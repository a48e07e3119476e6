import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import type { HostSettings } from '#shared/config'
import { connectors, type ConnectorName } from '#shared/connectors/list'
import { Problem, toProblem } from '#shared/errors'
import { redact } from '#ops/base/redact/redaction'
import { secretsFolder } from '#ops/base/paths/connector-paths'
import type { Host } from './check-connectors.ts'
import type { WithdrawRequest } from './common/connector.ts'
import { candidateOf } from './common/secret-folder.ts'
import { withTimeLimit } from './common/time-limit.ts'
import { hostConnectors } from './registry.ts'

/** What became of the secrets at their service. */
export interface Withdrawal {
  /** The service accepts none of them any more; null: the service offers no way to say so. */
  readonly done: boolean | null
  /** For a person; empty when there is nothing to say. */
  readonly detail: string
}

/**
 * Has the service of a connector forget its secrets, in use or waiting for their proof. It reads them: call it in a
 * process that has no further rights.
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
  const { settings, paths, signal } = host
  const { timeout_seconds: seconds }: HostSettings[ConnectorName] = settings[name]
  const places: WithdrawRequest<Name>['places'] = (ref) =>
    [ref, candidateOf(ref)]
      .map((each) => join(secretsFolder(paths), each))
      .filter((path) => lstatSync(path, { throwIfNoEntry: false }) !== undefined)
  const request = {
    settings: settings[name],
    rules: { strict: settings.launcher === 'systemd' },
    places,
  }
  try {
    const detail = await withTimeLimit((limit) => revoke({ ...request, signal: limit }), {
      title: connectors[name].title,
      seconds,
      outer: signal,
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

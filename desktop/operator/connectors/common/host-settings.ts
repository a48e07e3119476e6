import type { HostSettings } from '#shared/config'
import { connectorsReply } from '#shared/connectors'
import { connectorFields, connectors, type ConnectorName } from '#shared/connectors/list'
import { Problem } from '#shared/errors'
import type { HostdClient } from '#shared/hostd-client/client'
import { hostdPaths } from '#shared/hostd-paths'

/**
 * The object of a connector in host.json, by which the host will check the secret. A host of an older version has the
 * defaults.
 * @throws {Problem} as the client of hostd; `version_mismatch` when the settings have a form that is not known here
 */
export async function settingsOfHost<Name extends ConnectorName>(
  name: Name,
  client: HostdClient,
  signal: AbortSignal,
): Promise<HostSettings[Name]> {
  const { details } = await client.request(hostdPaths.connectors, connectorsReply, { signal })
  const given = details?.find((each) => each.name === name)?.settings
  const settings = connectorFields[name].safeParse(given)
  if (settings.success) return settings.data as HostSettings[Name]
  throw new Problem(
    'version_mismatch',
    `The host has settings of ${connectors[name].title} that this HQ does not know. Nothing was started.`,
  )
}

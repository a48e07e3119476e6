import { connectorsReply } from '#shared/connectors'
import type { KajabiSettings } from '#shared/connectors/kajabi'
import { connectorFields } from '#shared/connectors/list'
import { Problem } from '#shared/errors'
import type { HostdClient } from '#shared/hostd-client/client'
import { hostdPaths } from '#shared/hostd-paths'

/**
 * `kajabi` of host.json, by which the host will check the login. A host of an older version has the defaults.
 * @throws {Problem} as the client of hostd; `version_mismatch` when the settings have a form that is not known here
 */
export async function settingsOfHost(
  client: HostdClient,
  signal: AbortSignal,
): Promise<KajabiSettings> {
  const { details } = await client.request(hostdPaths.connectors, connectorsReply, { signal })
  const given = details?.find(({ name }) => name === 'kajabi')?.settings
  const settings = connectorFields.kajabi.safeParse(given)
  if (settings.success) return settings.data
  throw new Problem(
    'version_mismatch',
    'The host has settings of Kajabi that this HQ does not know. No browser was opened.',
  )
}

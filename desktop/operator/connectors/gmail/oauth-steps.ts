// What the two ways with a token share.
import type { Configuration } from 'openid-client'
import { oauthPeer } from '#ops/features/connectors/index'
import type { Attempt } from '../common/attempt.ts'
import type { WayOptions } from '../common/way.ts'
import { requestMs } from './accept-token.ts'
import {
  addressesOf,
  readClientFile,
  type GoogleAddresses,
  type InstalledClient,
} from './client-file.ts'

/** The step `client`. */
export const clientStep = (
  attempt: Attempt,
  { fields }: WayOptions,
): Promise<{ client: InstalledClient; addresses: GoogleAddresses }> =>
  attempt.step('client', async () => {
    const client = readClientFile(fields['client'])
    return { detail: 'Desktop app client', value: { client, addresses: addressesOf(client) } }
  })

/** The mailbox that the person entered, or the one that was connected before; null: any. */
export const wantedAccount = ({ fields }: WayOptions): string | null =>
  fields['account']?.trim() || null

export function keepForNextTime({ fields, keep }: WayOptions, account: string): void {
  keep('client', fields['client'] ?? '')
  keep('account', account)
}

export const oauthConfig = ({
  client,
  addresses,
  signal,
}: {
  readonly client: InstalledClient
  readonly addresses: GoogleAddresses
  readonly signal: AbortSignal
}): Configuration =>
  oauthPeer({
    server: {
      issuer: addresses.issuer,
      authorization_endpoint: addresses.authorization,
      token_endpoint: addresses.token,
      device_authorization_endpoint: addresses.device,
    },
    client,
    signal,
    timeoutMs: requestMs,
  })

// Who is behind an address of the tailnet.
import ipaddr from 'ipaddr.js'
import { z } from 'zod'
import { tailscaleStatus } from '#shared/tailnet/status'
import { ask, type Answer } from './client.ts'

const whois = z.looseObject({
  Node: z.looseObject({
    Name: z.string().default(''),
    Tags: z
      .array(z.string())
      .nullish()
      .transform((value) => value ?? []),
  }),
  UserProfile: z
    .looseObject({ LoginName: z.string().default('') })
    .nullish()
    .transform((value) => value ?? { LoginName: '' }),
})
export type Whois = z.output<typeof whois>

/**
 * The node that has an address, as tailscaled knows it.
 * @param address IP address of the tailnet
 */
export const whoIs = (address: string): Promise<Answer<Whois>> =>
  ask({
    path: `/localapi/v0/whois?addr=${encodeURIComponent(address)}`,
    argv: ['whois', '--json', address],
    schema: whois,
  })

/**
 * Whether an address of the tailnet is one of this machine.
 * @param address IP address of the tailnet
 * @returns null when tailscaled does not say it
 */
export async function isThisNode(address: string): Promise<boolean | null> {
  const answer = await ask({
    path: '/localapi/v0/status?peers=false',
    argv: ['status', '--json', '--peers=false'],
    schema: tailscaleStatus,
  })
  const own = answer.kind === 'answer' ? (answer.value.Self?.TailscaleIPs ?? []) : []
  const plain = (text: string): string => ipaddr.process(text).toNormalizedString()
  return own.length === 0 ? null : own.some((each) => plain(each) === plain(address))
}

// Who is behind an address of the tailnet.
import { z } from 'zod'
import { ask, type Answer } from './client.ts'

const whois = z.looseObject({
  Node: z.looseObject({
    Name: z.string().default(''),
    Tags: z
      .array(z.string())
      .nullish()
      .transform((value) => value ?? []),
  }),
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

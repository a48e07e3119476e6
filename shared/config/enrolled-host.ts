import { z } from 'zod'

/** Which machine of the tailnet answered for a host first: later answers must come from the same. */
export const hostPin = z.strictObject({
  node_key: z.string().min(1).describe('Public key of the node in the tailnet.'),
  tls_name: z.string().min(1).describe('Name of the node in the tailnet.'),
  at: z.iso.datetime({ precision: 3 }).describe('Since when it is pinned.'),
})
export type HostPin = z.infer<typeof hostPin>

/** One enrolled host. Its admin token is in the keystore, under its address. */
export const enrolledHost = z.strictObject({
  name: z.string().min(1).describe('Name of the host in HQ.'),
  url: z.url().describe('Address of its hostd.'),
  tls: z
    .literal(false)
    .optional()
    .describe('Present only for a host that is reached without TLS inside the tailnet.'),
  pin: hostPin.optional().describe('Who answered there first, as far as the tailnet knows it.'),
})
export type EnrolledHost = z.infer<typeof enrolledHost>

// The document that `tailscale status --json` prints. Its only schema.
import { z } from 'zod'

/** Go writes an empty list or object as null, or leaves it out. */
const list = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((value) => value ?? [])
const record = <T extends z.ZodType>(item: T) =>
  z
    .record(z.string(), item)
    .nullish()
    .transform((value) => value ?? {})
const text = z.string().default('')
const flag = z.boolean().default(false)
/** A moment in time. Go's zero time, in the year 1, means that there is none. */
const moment = z
  .string()
  .nullish()
  .transform((value) =>
    value === null || value === undefined || !(Date.parse(value) >= Date.UTC(2, 0)) ? null : value,
  )

const node = z.looseObject({
  ID: text,
  /** Node key, `nodekey:…`. It changes when the node signs in again. */
  PublicKey: text,
  HostName: text,
  /** Full name with a dot at its end. Empty without MagicDNS. */
  DNSName: text,
  OS: text,
  /** Key of `User`. A tagged node has the id of a user that stands for all tagged nodes. */
  UserID: z.number().default(0),
  TailscaleIPs: list(z.string()),
  Tags: list(z.string()),
  /** Address and port of the direct path; empty while there is none. */
  CurAddr: text,
  /** Code of its home relay (DERP region). */
  Relay: text,
  Online: flag,
  /** Traffic flowed within the last minutes. */
  Active: flag,
  LastSeen: moment,
  LastHandshake: moment,
  /** Addresses of its peer API: listeners of tailscaled on the tailnet addresses. */
  PeerAPIURL: list(z.string()),
  Expired: flag,
  /** null: the key does not expire. */
  KeyExpiry: moment,
})
export type TailnetNode = z.output<typeof node>

export const tailscaleStatus = z.looseObject({
  Version: text,
  BackendState: z.string(),
  TailscaleIPs: list(z.string()),
  Self: node.nullish().transform((value) => value ?? null),
  /** What Tailscale complains about, for people. */
  Health: list(z.string()),
  MagicDNSSuffix: text,
  CurrentTailnet: z
    .looseObject({ Name: text, MagicDNSSuffix: text, MagicDNSEnabled: flag })
    .nullish()
    .transform((value) => value ?? null),
  /** Names that certificates are issued for. Empty where the control server issues none. */
  CertDomains: list(z.string()),
  /** Other nodes that this one may see, by node key. */
  Peer: record(node),
  User: record(z.looseObject({ ID: z.number().default(0), LoginName: text, DisplayName: text })),
})
export type TailscaleStatus = z.output<typeof tailscaleStatus>

/** Full name without the dot at its end, in lower case. Empty without MagicDNS. */
export const nodeName = ({ DNSName }: Pick<TailnetNode, 'DNSName'>): string =>
  DNSName.replace(/\.$/, '').toLowerCase()

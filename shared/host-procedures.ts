/** What the window can request about hosts; part of `procedures` in bridge.ts. */
import { z } from 'zod'
import { statusReply } from './api.ts'
import { nothing, procedure } from './bridge-procedure.ts'
import { hostConnection, remedyKinds } from './host-connection.ts'
import { timestamp } from './ids.ts'
import type { TailnetState, TailscaleFailure } from './tailnet/state.ts'

const done = z.strictObject({ ok: z.literal(true) })
/** A host by its address, as the settings have it. */
const one = z.strictObject({ url: z.url() })

/** One enrolled host, with what is known of it. */
export const hostView = z.strictObject({
  name: z.string(),
  url: z.string(),
  selected: z.boolean(),
  token_set: z.boolean(),
  /** Since when its node key and name are pinned; null: it is not in a tailnet, or has not answered yet. */
  pinned_at: timestamp.nullable(),
  connection: hostConnection,
  status: statusReply.nullable(),
})
export type HostView = z.infer<typeof hostView>

const states = [
  'running',
  'starting',
  'stopped',
  'logged_out',
  'key_expired',
  'needs_approval',
  'not_installed',
  'daemon_down',
  'no_answer',
  'refused',
  'unreadable',
] as const satisfies readonly (TailnetState | TailscaleFailure)[]

/** Tailscale on this laptop. */
export const laptopTailnet = z.strictObject({
  state: z.enum(states),
  version: z.string().nullable(),
  name: z.string().nullable(),
})

/** A machine of the tailnet that is no host of this HQ. */
export const tailnetMachine = z.strictObject({
  name: z.string(),
  url: z.string().nullable(),
  os: z.string(),
  online: z.boolean(),
  path: z.enum(['direct', 'relayed']).nullable(),
  last_seen: timestamp.nullable(),
  /** Does hostd answer there? null: it was not asked, or not yet. */
  hostd: z.boolean().nullable(),
  latency_ms: z.number().nullable(),
})
export type TailnetMachine = z.infer<typeof tailnetMachine>

export const hostProcedures = {
  'hosts.list': procedure(
    nothing,
    z.strictObject({ hosts: z.array(hostView), tailnet: laptopTailnet.nullable() }),
  ),
  /** Other machines of the tailnet, and which of them answer as hostd. No token is sent. */
  'hosts.discover': procedure(
    nothing,
    z.strictObject({
      tailnet: laptopTailnet,
      machines: z.array(tailnetMachine),
      read_at: timestamp,
    }),
  ),
  /** Enrols a host beside the others; the first one is selected. At a known address: changes its name or token. */
  'hosts.add': procedure(
    z.strictObject({
      name: z.string().trim().min(1).max(100),
      url: z.url(),
      token: z.string().min(1).max(400).optional(),
    }),
    done,
  ),
  'hosts.select': procedure(one, done),
  /** Forgets a host and its token. */
  'hosts.remove': procedure(one, done),
  /** Tries a host now; resolves when its answer is in. */
  'hosts.retry': procedure(one, done),
  /** Agrees to a changed node key or name. Refused when something else than what was shown answers by now. */
  'hosts.agree': procedure(one.extend({ node_key: z.string(), tls_name: z.string() }), done),
  /** What HQ does about a diagnosis. `said`: what the operator needs to know of how it went; null: nothing. */
  'hosts.remedy': procedure(
    one.extend({ kind: z.enum(remedyKinds) }),
    z.strictObject({ said: z.string().nullable() }),
  ),
} as const

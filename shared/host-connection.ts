/** How HQ reaches its hosts, as it crosses the bridge: connection, diagnosis, identity, and machines of the tailnet. */
import { z } from 'zod'
import { timestamp } from './ids.ts'

/**
 * Why a host cannot be reached, or is reached badly. One of these at a time: the first fault in the order in which
 * they depend on each other. Their text: `shared/state/diagnosis.ts`.
 */
export const diagnosisIds = [
  'laptop_offline',
  'no_tailscale',
  'tailscale_silent',
  'tailscale_stopped',
  'logged_out',
  'needs_approval',
  'laptop_key_expired',
  'not_in_tailnet',
  'identity_changed',
  'host_key_expired',
  'host_asleep',
  'no_path',
  'acl_denies',
  'name_unknown',
  'serve_off',
  'certificate',
  'wrong_name',
  'hostd_down',
  'wrong_token',
  'refused',
  'clock_skew',
  'relay_slow',
] as const
export type DiagnosisId = (typeof diagnosisIds)[number]

/** What the button of a diagnosis does. The last two are done by the window, the others by `hosts.remedy`. */
export const remedyKinds = [
  'retry',
  'get_tailscale',
  'start_tailscale',
  'sign_in_tailscale',
  'open_page',
  'find_path',
  'edit_host',
  'agree',
] as const
export type RemedyKind = (typeof remedyKinds)[number]

/** What is checked on the way to a host, in the order in which each depends on those before it. */
export const rungNames = [
  'laptop',
  'tailscale',
  'known',
  'key',
  'path',
  'name',
  'hostd',
  'clocks',
] as const
export type RungName = (typeof rungNames)[number]

export const rung = z.strictObject({
  name: z.enum(rungNames),
  state: z.enum(['pass', 'warn', 'fail', 'skip', 'not_tried']),
  /** What was observed, in a few words. */
  detail: z.string(),
})
export type Rung = z.infer<typeof rung>

/** What an operator agrees to: who answers now, and who answered before. */
export const identityChange = z.strictObject({
  /** `key`: another node key under the same name. `name`: the same node key under another name. */
  kind: z.enum(['key', 'name']),
  pinned: z.strictObject({ node_key: z.string(), tls_name: z.string(), at: timestamp }),
  seen: z.strictObject({ node_key: z.string(), tls_name: z.string() }),
  /** Name under which the tailnet lists the node that was pinned, when it is still there. */
  pinned_now: z.string().nullable(),
})
export type IdentityChange = z.infer<typeof identityChange>

export const diagnosis = z.strictObject({
  id: z.enum(diagnosisIds),
  /** What was observed, in one sentence; never text of the other side. */
  detail: z.string(),
  rungs: z.array(rung),
  /** Page of Tailscale's own service that ends it; null for another control server, or when none does. */
  page: z.url().nullable(),
  change: identityChange.nullable(),
  /** When it was found, and how long that took, milliseconds. */
  at: timestamp,
  took_ms: z.number().nonnegative(),
})
export type Diagnosis = z.infer<typeof diagnosis>

/** What the tailnet says of a host. */
export const tailnetFacts = z.strictObject({
  address: z.string().nullable(),
  online: z.boolean(),
  /** null: no traffic yet, so nobody knows. */
  path: z.enum(['direct', 'relayed']).nullable(),
  /** Code of the relay, when there is one: `fra`. */
  relay: z.string().nullable(),
  /** null: the key does not expire. */
  key_expires: timestamp.nullable(),
  key_expired: z.boolean(),
  os: z.string(),
  last_seen: timestamp.nullable(),
})
export type TailnetFacts = z.infer<typeof tailnetFacts>

export const hostConnection = z.strictObject({
  name: z.string().nullable(),
  url: z.string().nullable(),
  state: z.enum(['not_enrolled', 'connecting', 'online', 'offline', 'refused']),
  /** Why it is not online, in one sentence. */
  detail: z.string().nullable(),
  latency_ms: z.number().nonnegative().nullable(),
  /** When `status` was last read from the host; it is kept while the host is unreachable. */
  as_of: timestamp.nullable(),
  /** What the tailnet says of it; null for a host outside the tailnet; absent in the console. */
  tailnet: tailnetFacts.nullable().optional(),
  /** Why it cannot be reached, or what is wrong although it can; null: nothing, or not known yet. */
  diagnosis: diagnosis.nullable().optional(),
})
export type HostConnection = z.infer<typeof hostConnection>

/** One enrolled host in short. */
export const hostSummary = z.strictObject({
  name: z.string(),
  url: z.string(),
  selected: z.boolean(),
  state: hostConnection.shape.state,
  as_of: timestamp.nullable(),
  diagnosis: diagnosis.nullable(),
})
export type HostSummary = z.infer<typeof hostSummary>

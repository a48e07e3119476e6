import { z } from 'zod'
import type { Action, Lane } from './action-row.ts'
import { connectorActions } from './connector-actions.ts'
import { commitId } from './ids.ts'
import { keyId } from './signature.ts'

export { lanes, type Lane } from './action-row.ts'

const noParams = z.strictObject({})

/**
 * The one allowlist: an action is its row here and its `hq` command. hostd checks a request against it, and the runner
 * checks again. Reference: docs/reference/api.md.
 */
export const actions = {
  doctor: {
    title: 'Doctor',
    button: 'Run doctor',
    summary: 'check the host',
    paletteText: 'check health',
    result: 'checks',
    bundle: 'doctor',
    argv: () => ['doctor'],
    params: noParams,
    timeout_seconds: 60,
    lane: 'doctor',
    in_maintenance: 'idle',
    destructive: false,
  },
  /** A service that guard starts may take the 600 s that its configuration allows. */
  guard: {
    title: 'Guard',
    button: 'Run guard',
    summary: 'probe the host once and apply safe, named remediations',
    result: 'checks',
    bundle: null,
    argv: () => ['guard'],
    params: noParams,
    timeout_seconds: 900,
    lane: 'guard',
    in_maintenance: 'allowed',
    destructive: false,
  },
  port_audit: {
    title: 'Port audit',
    button: 'Run port audit',
    summary: 'list what can be reached from outside this host',
    paletteText: 'sockets public',
    result: 'checks',
    bundle: null,
    argv: () => ['port-audit'],
    params: noParams,
    timeout_seconds: 30,
    lane: 'port_audit',
    in_maintenance: 'allowed',
    destructive: false,
  },
  tail_guard_log: {
    title: 'Guard log',
    button: 'Guard log',
    summary: 'print the last passes of guard',
    paletteText: 'last passes repairs restarts',
    result: 'plain',
    bundle: null,
    argv: (params) => [
      'guard-log',
      '--lines',
      typeof params['lines'] === 'number' ? String(params['lines']) : '50',
    ],
    params: z.strictObject({ lines: z.number().int().min(1).max(500).optional() }),
    timeout_seconds: 15,
    lane: 'tail',
    in_maintenance: 'allowed',
    destructive: false,
  },
  deploy_and_verify: {
    title: 'Deploy+Verify',
    button: 'Deploy+Verify',
    summary: 'deploy origin/main and verify it; try again until it is green',
    result: 'deploy',
    bundle: 'deploy',
    argv: (params) => ['deploy', ...(params['unpin'] === true ? ['--unpin'] : [])],
    params: z.strictObject({ unpin: z.boolean().optional() }),
    timeout_seconds: 3600,
    lane: 'deploy',
    in_maintenance: 'allowed',
    destructive: false,
  },
  rollback: {
    title: 'Roll back',
    button: 'Roll back',
    summary:
      'deploy the last green commit before the running one; it stays pinned until the next ship',
    result: 'deploy',
    bundle: 'deploy',
    argv: (params) => [
      'rollback',
      ...(typeof params['to'] === 'string' ? ['--to', params['to']] : []),
    ],
    params: z.strictObject({ to: commitId.optional() }),
    timeout_seconds: 3600,
    lane: 'deploy',
    in_maintenance: 'allowed',
    destructive: true,
  },
  verify_production: {
    title: 'Verify production',
    button: 'Verify production',
    summary: 'verify what the host serves',
    result: 'checks',
    bundle: null,
    argv: () => ['verify'],
    params: noParams,
    timeout_seconds: 300,
    lane: 'verify',
    in_maintenance: 'dod_only',
    destructive: false,
  },
  dod: {
    title: 'Definition of Done',
    button: 'Check the Definition of Done',
    summary: 'check the Definition of Done of the last green deploy',
    result: 'dod',
    bundle: 'dod',
    argv: () => ['dod'],
    params: noParams,
    timeout_seconds: 300,
    lane: 'dod',
    in_maintenance: 'dod_only',
    destructive: false,
  },
  green_check: {
    title: 'Green check',
    button: 'Run the green check',
    summary: 'check whether the last deploy is still green',
    result: 'checks',
    bundle: null,
    argv: () => ['green-check'],
    params: noParams,
    timeout_seconds: 60,
    lane: 'green_check',
    in_maintenance: 'allowed',
    destructive: false,
  },
  selftest: {
    title: 'Self-test',
    button: 'Run self-test',
    summary: 'make a violation for every guard and check that each is refused',
    paletteText: 'guards planted violations',
    result: 'checks',
    bundle: null,
    argv: () => ['selftest'],
    params: noParams,
    timeout_seconds: 300,
    lane: 'selftest',
    in_maintenance: 'allowed',
    destructive: false,
  },
  /** All connectors at once, each at most 60 s by its settings, and the start of two programs. */
  connectors_status: {
    title: 'Connectors',
    button: 'Check connectors',
    summary: 'check live whether each connector accepts its secrets',
    result: 'connectors',
    bundle: null,
    argv: () => ['connectors'],
    params: noParams,
    timeout_seconds: 120,
    lane: 'status',
    in_maintenance: 'allowed',
    destructive: false,
  },
  /** The time limits of check, snapshot and harvest that host.json allows, together. */
  phase0: {
    title: 'Phase 0',
    button: 'Run Phase 0',
    summary: 'check every connector live, collect library and mail data, and leave a proof',
    paletteText: 'connectors',
    result: 'connectors',
    bundle: 'phase0',
    argv: () => ['phase0'],
    params: noParams,
    timeout_seconds: 1200,
    lane: 'phase0',
    in_maintenance: 'allowed',
    destructive: false,
  },
  ...connectorActions,
  trust_ship_key: {
    title: 'Enrol a ship key',
    button: 'Enrol',
    result: 'plain',
    bundle: null,
    argv: (params) => [
      'trust-key',
      `--public-key=${String(params['public_key'])}`,
      `--label=${String(params['label'])}`,
    ],
    params: z.strictObject({
      public_key: z
        .string()
        .max(200)
        .regex(
          /^-----BEGIN PUBLIC KEY-----\n[A-Za-z0-9+/=\n]+-----END PUBLIC KEY-----\n?$/,
          'not a public key',
        ),
      label: z
        .string()
        .trim()
        .min(1)
        .max(100)
        .regex(/^[^-\p{Cc}][^\p{Cc}]*$/u, 'not a label'),
    }),
    timeout_seconds: 30,
    lane: 'deploy',
    in_maintenance: 'allowed',
    destructive: true,
  },
  distrust_ship_key: {
    title: 'Revoke a ship key',
    button: 'Revoke',
    result: 'plain',
    bundle: null,
    argv: (params) => ['trust-key', `--remove=${String(params['id'])}`],
    params: z.strictObject({ id: keyId }),
    timeout_seconds: 30,
    lane: 'deploy',
    in_maintenance: 'allowed',
    destructive: true,
  },
  maintenance_clear: {
    title: 'End maintenance',
    button: 'End maintenance',
    result: 'plain',
    bundle: null,
    argv: () => ['maintenance', 'off'],
    params: noParams,
    timeout_seconds: 30,
    lane: 'deploy',
    in_maintenance: 'allowed',
    destructive: true,
  },
} as const satisfies Record<string, Action>

export type ActionId = keyof typeof actions
export const actionIds = Object.keys(actions) as [ActionId, ...ActionId[]]
export const isActionId = (name: string): name is ActionId => Object.hasOwn(actions, name)
export const actionOf = (id: ActionId): Action => actions[id]
/** The lane in which a request of this action runs. */
export function laneOf(id: ActionId, params: Readonly<Record<string, unknown>>): Lane {
  const { lane, laneOf: byParams } = actionOf(id)
  return byParams?.(params) ?? lane
}

import { z } from 'zod'
import { commitId } from './ids.ts'
import type { BundleKind } from './proof.ts'
import { keyId } from './signature.ts'

export const lanes = [
  'deploy',
  'doctor',
  'guard',
  'port_audit',
  'verify',
  'dod',
  'green_check',
  'tail',
  'status',
  'selftest',
  'phase0',
] as const
export type Lane = (typeof lanes)[number]

interface Action {
  readonly title: string
  /** Text of the button that starts it. */
  readonly button: string
  /**
   * The schema of its result document (`shared/result.ts`, `shared/connectors.ts`). `plain`: the common fields
   * only.
   */
  readonly result: 'checks' | 'connectors' | 'deploy' | 'dod' | 'plain'
  /** The folder of `artifacts/` in which it leaves a proof that is sealed when it ends; null: it leaves none. */
  readonly bundle: BundleKind | null
  /** Arguments of the `hq` command; the runner adds the interpreter. Never a shell line. */
  readonly argv: (params: Record<string, unknown>) => readonly string[]
  readonly params: z.ZodType<Record<string, unknown>>
  readonly timeout_seconds: number
  /** One run at a time per lane; a second start is answered 409 and joinable. */
  readonly lane: Lane
  readonly in_maintenance: 'allowed' | 'dod_only'
  /** Needs a confirmation in the UI that names what it changes. */
  readonly destructive: boolean
}

const noParams = z.strictObject({})

/**
 * The one allowlist: an action is its row here and its `hq` command. hostd checks a request against it, and the runner
 * checks again. Reference: docs/reference/api.md.
 */
export const actions = {
  doctor: {
    title: 'Doctor',
    button: 'Run doctor',
    result: 'checks',
    bundle: 'doctor',
    argv: () => ['doctor'],
    params: noParams,
    timeout_seconds: 60,
    lane: 'doctor',
    in_maintenance: 'dod_only',
    destructive: false,
  },
  /** A service that guard starts may take the 600 s that its configuration allows. */
  guard: {
    title: 'Guard',
    button: 'Run guard',
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
    result: 'connectors',
    bundle: null,
    argv: () => ['connectors'],
    params: noParams,
    timeout_seconds: 120,
    lane: 'status',
    in_maintenance: 'allowed',
    destructive: false,
  },
  phase0: {
    title: 'Phase 0',
    button: 'Run Phase 0',
    result: 'connectors',
    bundle: 'phase0',
    argv: () => ['phase0'],
    params: noParams,
    timeout_seconds: 180,
    lane: 'phase0',
    in_maintenance: 'allowed',
    destructive: false,
  },
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
    title: 'Take a ship key back',
    button: 'Take back',
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

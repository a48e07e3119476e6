import type { Environment } from '#ops/base/env'
import type { OperatorSettings } from '#shared/config'
import type { ShipResult } from '#shared/result'
import type { VerdictDocument } from '#shared/signature'
import { toTrustedKey, type SigningKey } from '#ops/core/trust/signing-key'
import { trustKeys, type TrustedKeys } from '#ops/core/trust/trusted-keys'
import type { GateSettings } from './gate-settings.ts'
import type { EarlierShip } from './resolve-earlier-ship.ts'

/** What preflight froze; everything after it is about this commit and nothing else. */
export interface Frozen {
  readonly head: string
  readonly tree: string
  readonly branch: string
  /** origin/<branch> at preflight. */
  readonly remoteHead: string
  /** Newest proven ancestor: what the review starts from. */
  readonly base: string
  readonly gates: GateSettings
  /** What in the change the reviewer is told to look at with special care. */
  readonly flags: readonly string[]
  /** Who may review, by the operator's settings before a test of the change has run. */
  readonly review: OperatorSettings['review']
  /** Where origin leads, likewise. */
  readonly way: string
  /** An earlier ship of this commit that was pushed and not confirmed; its evidence is checked instead of made again. */
  readonly earlier: EarlierShip | null
}

/**
 * State of one ship. Kept outside the step engine's facts, because a step that fails has found facts as well: the
 * commit it refused, the tests it counted.
 */
export interface Ship {
  readonly runId: string
  /** Root of the working tree, real path. */
  readonly repo: string
  /** Folder of the operator's settings. */
  readonly home: string
  /** Folder of the proof. */
  readonly dir: string
  readonly env: Environment
  /** Name of this machine; default: what the system says. Only the self-test names another, as it plants on a production host too. */
  readonly hostName?: string
  /** What is shipped instead of HEAD; null: HEAD itself. */
  readonly candidate: Candidate | null
  /** What the first attempt froze. An implementer has run since, so nothing of it may be another now. */
  readonly pinned: Frozen | null
  head: string | null
  tree: string | null
  since: string | null
  frozen: Frozen | null
  tests: ShipResult['tests']
  verdict: VerdictDocument | null
  /** Signs the verdict; read once, before a test of the change has run. */
  key: SigningKey | null
  scripted: boolean
  /** Where the verdict comes from when it is an earlier ship's; null: from this one's review. */
  reused: NonNullable<ShipResult['review_reused']> | null
  /** The operator's branch was moved to the candidate. */
  forwarded: boolean
  pushedSha: string | null
  remoteSha: string | null
  /** Name to path, relative to `dir`. */
  artifacts: Record<string, string>
}

/** A commit that HQ made of a repair; the operator's branch is still at `start`. */
export interface Candidate {
  readonly commit: string
  readonly start: string
}

export const newShip = (
  place: Pick<Ship, 'runId' | 'repo' | 'home' | 'dir' | 'env' | 'hostName'>,
): Ship => ({
  ...place,
  candidate: null,
  pinned: null,
  head: null,
  tree: null,
  since: null,
  frozen: null,
  tests: [],
  verdict: null,
  key: null,
  scripted: false,
  reused: null,
  forwarded: false,
  pushedSha: null,
  remoteSha: null,
  artifacts: {},
})

export const remoteName = 'origin'

/** @throws {TypeError} before preflight has passed, which is a bug */
export function frozenOf(ship: Ship): Frozen {
  if (!ship.frozen) throw new TypeError('a step needs what preflight froze')
  return ship.frozen
}

/** @throws {TypeError} before preflight has read it, which is a bug */
export function keyOf(ship: Pick<Ship, 'key'>): SigningKey {
  if (!ship.key) throw new TypeError('a step needs the key that preflight read')
  return ship.key
}

/** On the laptop a verdict counts when this laptop signed it; what another one reviewed is reviewed again. */
export const ownKeys = (ship: Pick<Ship, 'key'>): TrustedKeys =>
  trustKeys([toTrustedKey(keyOf(ship))], 'the ship key')

// What is known of one ship. Each step gets these facts and returns new ones; no fact is changed in place.
import type { OperatorSettings } from '#shared/config'
import type { ShipResult } from '#shared/result'
import type { VerdictDocument } from '#shared/signature'
import type { PushedStatement } from '#shared/statement'
import type { Environment } from '#ops/base/env'
import { toTrustedKey, type SigningKey } from '#ops/core/trust/signing-key'
import { trustKeys, type TrustedKeys } from '#ops/core/trust/trusted-keys'
import type { Range } from '#ops/core/trust/verdict-link'
import type { EarlierShip } from './resolve-earlier-ship.ts'
import type { GateSettings } from './gate-settings.ts'

/** What a ship starts with. */
export interface ShipInput {
  readonly runId: string
  /** Root of the working tree, real path. */
  readonly repo: string
  /** Folder of the operator's settings. */
  readonly home: string
  /** Folder of the proof. */
  readonly dir: string
  readonly env: Environment
  /** Name of this machine; default: what the system says. The self-test names another one: it runs on hosts too. */
  readonly hostName?: string
  /** What is shipped instead of HEAD; null: HEAD itself. */
  readonly candidate: Candidate | null
  /** What the first attempt froze. An implementer has run since, so none of it may differ now. */
  readonly pinned: Frozen | null
  /** Signs the verdict; null until preflight has read it, before any test of the change runs. */
  readonly key: SigningKey | null
}

export interface ShipFacts extends ShipInput {
  readonly head: string | null
  readonly tree: string | null
  readonly since: string | null
  readonly frozen: Frozen | null
  readonly tests: ShipResult['tests']
  readonly verdict: VerdictDocument | null
  /** The envelopes beside the verdict, as they will be pushed. */
  readonly statements: Readonly<Record<PushedStatement, string>> | null
  readonly scripted: boolean
  /** Where the verdict comes from when it is an earlier ship's; null: from this ship's own review. */
  readonly reused: NonNullable<ShipResult['review_reused']> | null
  /** The operator's branch was moved to the candidate. */
  readonly forwarded: boolean
  readonly pushedSha: string | null
  readonly remoteSha: string | null
  /** Name to path, relative to `dir`. */
  readonly artifacts: Readonly<Record<string, string>>
}

/** What preflight froze. All later steps are about this commit and nothing else. */
export interface Frozen {
  readonly head: string
  readonly tree: string
  readonly branch: string
  /** origin/<branch> at preflight. */
  readonly remoteHead: string
  /** Where the review of the change starts: origin's branch, or below it when the commit is on it already. */
  readonly base: string
  /** What is reviewed beside the change: no verdict that counts covers it. Oldest first. */
  readonly unproven: readonly Range[]
  readonly gates: GateSettings
  /** What the reviewer is to judge with special care. */
  readonly flags: readonly string[]
  /** Who may review, by the operator's settings before a test of the change has run. */
  readonly review: OperatorSettings['review']
  /** The git configuration that says where origin leads, read at the same time. */
  readonly originConfig: string
  /** An earlier ship of this commit that was pushed and not confirmed. Its evidence is checked, not made again. */
  readonly earlier: EarlierShip | null
}

/** A commit that HQ made of a repair; the operator's branch is still at `start`. */
export interface Candidate {
  readonly commit: string
  readonly start: string
}

export const remoteName = 'origin'

/** The facts before the first step. */
export const initialFacts = (
  input: Omit<ShipInput, 'candidate' | 'pinned' | 'key'> & Partial<ShipInput>,
): ShipFacts => ({
  candidate: null,
  pinned: null,
  key: null,
  ...input,
  head: null,
  tree: null,
  since: null,
  frozen: null,
  tests: [],
  verdict: null,
  statements: null,
  scripted: false,
  reused: null,
  forwarded: false,
  pushedSha: null,
  remoteSha: null,
  artifacts: {},
})

/** @throws {TypeError} before preflight has passed, which is a bug */
export function frozenOf({ frozen }: Pick<ShipFacts, 'frozen'>): Frozen {
  if (!frozen) throw new TypeError('a step ran before preflight froze the change')
  return frozen
}

/** @throws {TypeError} before preflight has read it, which is a bug */
export function keyOf({ key }: Pick<ShipFacts, 'key'>): SigningKey {
  if (!key) throw new TypeError('a step ran before preflight read the ship key')
  return key
}

/** On the laptop a verdict counts when this laptop signed it. What another one reviewed is reviewed again. */
export const laptopKeys = (facts: Pick<ShipFacts, 'key'>): TrustedKeys =>
  trustKeys([toTrustedKey(keyOf(facts))], 'the ship key')

import type { DoctorContext } from '#ops/core/checks/context'
import type { RemediationId } from '#shared/errors/remediations'

export type GuardHost = Pick<DoctorContext, 'paths' | 'settings' | 'hostdUrl'>

/** What guard may do, by name. It leaves everything else to people and deploys. */
export const guardRemediations = [
  'restart_hostd',
  'restart_service',
  'restart_container',
  'enable_timer',
] as const satisfies readonly RemediationId[]
export type GuardRemediationId = (typeof guardRemediations)[number]

/** The result of one probe of one target. */
export interface Probe {
  /** The thing that the remediation is applied to; attempts are counted for it. */
  readonly target: string
  /** Name of its check in the document of the pass. */
  readonly check: string
  /**
   * `due`: the remediation applies. `fail` and `warn`: something is wrong that guard does not repair. `skip`: this host
   * has no such target.
   */
  readonly state: 'good' | 'due' | 'fail' | 'warn' | 'skip'
  readonly detail: string
  /** The remedy when guard does not repair it; default `deploy_again`. */
  readonly remedy?: RemediationId
}

export interface Remediation {
  readonly id: GuardRemediationId
  /** The status when it is due and was not applied: an unreachable service fails the pass, a timer does not. */
  readonly undone: 'FAIL' | 'WARN'
  /** Probes once and changes nothing. @throws {Problem} when the probe fails */
  probe(host: GuardHost, signal?: AbortSignal): Promise<Probe[]> | Probe[]
  /**
   * Applies it to one target and proves that it helped.
   * @returns what was done and what proves it, as a sentence without its full stop; `acted: false` when the target
   *   was healthy again before
   * @throws {Problem} `lane_busy` when a deploy is working on the target, which was not changed; any other class:
   *   it did not help
   */
  apply(host: GuardHost, target: string, signal?: AbortSignal): Promise<ActionResult>
}

export interface ActionResult {
  readonly acted: boolean
  readonly reason: string
}

/** How long guard waits for a lock, milliseconds. It does not wait for a deploy: the next pass starts soon. */
export const lockPatienceMs = 2_000

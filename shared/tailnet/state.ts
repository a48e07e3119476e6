// What state Tailscale is in on one machine, as one word.
import type { TailscaleStatus } from './status.ts'

/** Why there is no status at all. */
export type TailscaleFailure =
  | 'not_installed'
  /** Installed, but tailscaled does not run. */
  | 'daemon_down'
  /** tailscaled did not answer within the limit. */
  | 'no_answer'
  /** tailscaled does not let this account ask. */
  | 'refused'
  /** Its answer is not the expected document, or it runs where HQ cannot ask it. */
  | 'unreadable'

/** What a status says. Only `running` carries traffic. */
export type TailnetState =
  | 'running'
  | 'starting'
  /** Switched off by a person: `tailscale down`. */
  | 'stopped'
  | 'logged_out'
  | 'key_expired'
  /** Signed in, but an administrator of the tailnet must approve this machine. */
  | 'needs_approval'

/** @param now milliseconds since 1970 */
export function tailnetStateOf(
  { BackendState, Self }: Pick<TailscaleStatus, 'BackendState' | 'Self'>,
  now: number,
): TailnetState {
  const left = keyTimeLeft(Self, now)
  // An expired key stands as NeedsLogin once tailscaled has heard of it, and as Running before.
  const expired = Self !== null && (Self.Expired || (left !== null && left <= 0))
  switch (BackendState) {
    case 'Running':
      return expired ? 'key_expired' : 'running'
    case 'NeedsLogin':
      return expired ? 'key_expired' : 'logged_out'
    case 'NeedsMachineAuth':
      return 'needs_approval'
    case 'Stopped':
      return 'stopped'
    // NoState, Starting, and what a later version adds: not yet usable.
    default:
      return 'starting'
  }
}

/** Milliseconds until the key of a node expires; null when it does not. @param now milliseconds since 1970 */
export function keyTimeLeft(
  node: { readonly KeyExpiry: string | null } | null,
  now: number,
): number | null {
  return node === null || node.KeyExpiry === null ? null : Date.parse(node.KeyExpiry) - now
}

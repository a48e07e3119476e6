// Does a person hold maintenance mode? A deploy neither adopts nor ends what a person has put on.
import type { MaintenanceState } from './api.ts'

/** Who holds it, since when and why; null where its file does not say. */
export interface PersonsMaintenance {
  readonly by: string | null
  readonly since: string | null
  readonly reason: string | null
}

/**
 * The person who holds maintenance mode; null when it is off or only a deploy holds it. A file that cannot be read
 * counts as a person's: nobody knows what it protects.
 */
export function personsMaintenance({ on, file }: MaintenanceState): PersonsMaintenance | null {
  if (!on) return null
  if (file === null) return { by: null, since: null, reason: null }
  if (file.hold !== undefined) return file.hold
  // A file of an older HQ names the deploy that holds it, and never the person.
  return file.deploy_run_id === null ? { by: null, since: file.since, reason: file.reason } : null
}

/** The person as a sentence names them. Requests that do not come through Tailscale carry no name. */
export const personName = ({ by }: Pick<PersonsMaintenance, 'by'>): string =>
  by === null || by === 'local' ? 'a person on the host' : by

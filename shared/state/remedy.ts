/** What ends a failure, in words that fit the place where they are read. */
import { remediations, type RemediationId } from '../errors/remediations.ts'
import type { Overview } from '../bridge.ts'

/** @param place where it is read: the console on the host has no settings and no Ship page */
export function remedyAt(id: RemediationId, place: Overview['place']): string {
  const row: { readonly title: string; readonly console?: string } = remediations[id]
  return place === 'console' ? (row.console ?? row.title) : row.title
}

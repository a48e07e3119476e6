import { use } from 'react'
import { remedyAt } from '#shared/state/remedy'
import type { RemediationId } from '#shared/errors/remediations'
import { HqContext } from '../bridge/context.ts'

/** What ends a failure, in words that fit this page: the console has neither settings nor a Ship page. */
export function useRemedy(): (id: RemediationId) => string {
  const hq = use(HqContext)
  const place = hq?.info.mode === 'console' ? 'console' : 'laptop'
  return (id) => remedyAt(id, place)
}

import type { Live } from '../../state/live.tsx'
import { count } from '../../text/format.ts'
import type { Badge, HqPage } from '../page.ts'
import { ProofsPage } from './proofs-page.tsx'

export const proofsPage: HqPage = {
  path: '/proofs',
  title: 'Proofs',
  icon: 'proofs',
  Page: ProofsPage,
  badge,
}

/** How many proofs differ from what HQ has witnessed. */
function badge({ overview: { proof_alarms: alarms = [] } }: Live): Badge | null {
  if (alarms.length === 0) return null
  return { tone: 'fail', number: alarms.length, text: count(alarms.length, 'alarm') }
}

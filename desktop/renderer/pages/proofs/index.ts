import type { Live } from '../../state/live.tsx'
import { evidenceAddress, evidenceHref } from '../../text/evidence-address.ts'
import { count, shortRun } from '../../text/format.ts'
import { folderTitles } from '../../text/proof.ts'
import type { Badge, HqPage } from '../page.ts'
import { ProofsPage } from './proofs-page.tsx'

export const proofsPage: HqPage = {
  path: '/proofs',
  title: 'Proofs',
  icon: 'proofs',
  Page: ProofsPage,
  takes: 'path',
  subject,
  keyOf,
  badge,
}

/** *deploy_result.json of deploy 8f3a9c1e*. */
function subject(rest: string): string | null {
  const address = evidenceAddress(rest)
  if (address === null) return null
  const { place, path } = address
  const run = `${folderTitles[place.folder]} ${shortRun(place.run_id)}`
  return path === null ? `Files of ${run}` : `${path.split('/').at(-1) ?? path} of ${run}`
}

/** The files of one run are one page. */
function keyOf(rest: string): string {
  const address = evidenceAddress(rest)
  return address === null ? rest : evidenceHref(address.place)
}

/** How many proofs differ from what HQ has witnessed. */
function badge({ overview: { proof_alarms: alarms = [] } }: Live): Badge | null {
  if (alarms.length === 0) return null
  return { tone: 'fail', number: alarms.length, text: count(alarms.length, 'alarm') }
}

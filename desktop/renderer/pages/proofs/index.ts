import { evidenceHref } from '#shared/evidence'
import { evidenceAddress } from '../../text/evidence-address.ts'
import { shortRun } from '../../text/format.ts'
import { folderTitles } from '../../text/proof.ts'
import type { HqPage } from '../page.ts'
import { ProofsPage } from './proofs-page.tsx'

export const proofsPage: HqPage = {
  path: '/proofs',
  title: 'Proofs',
  icon: 'proofs',
  Page: ProofsPage,
  takes: 'path',
  subject,
  keyOf,
  mark: 'proofs',
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

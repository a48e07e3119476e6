/** Situations in which a proof is broken or unreadable, so that nothing vouches for what it proved. */
import { span } from '../format.ts'
import { unreadableDeploy } from './gates.ts'
import { deploy, inspect, type NextAction } from './next.ts'
import { troubleOf, type ProofTrouble } from './proof.ts'
import { headline, short, type Case } from './situation.ts'
import type { Standing } from './standing.ts'

/** The result of the newest deploy cannot be read: whether it became green is not known. */
export const unreadable: Case = (standing) => {
  const run_id = unreadableDeploy(standing.overview.status)
  if (run_id === null) return null
  const { serves } = standing
  const trouble = troubleOf(standing.troubles, 'deploy', run_id)
  const file = trouble?.file ?? 'deploy_result.json'
  return {
    headline: {
      ...headline(
        'fail',
        serves === null
          ? 'The result of the last deploy cannot be read'
          : `${serves}, but the result of its deploy cannot be read`,
        `${file} of run ${run_id.slice(-8)}: ${trouble?.detail ?? 'it cannot be read.'}`,
      ),
      errorClass: 'state_invalid',
    },
    next: prove(standing, run_id),
  }
}

/** What serves, or the newest change, rests on a proof that differs from what was sealed. */
export const broken: Case = (standing) => {
  const { serving, troubles, change } = standing
  const ofDeploy =
    troubleOf(troubles, 'deploy', serving.run_id) ??
    troubleOf(troubles, 'deploy', change.gates[4]?.run_id)
  if (ofDeploy !== null) return brokenDeploy(standing, ofDeploy)
  const ofShip = troubleOf(troubles, 'ship', change.gates[0]?.run_id)
  return ofShip === null ? null : brokenShip(standing, ofShip)
}

function brokenDeploy(standing: Standing, trouble: ProofTrouble) {
  const { serving, serves, now } = standing
  const green =
    serving.since === null ? '' : `It was green ${span(now - Date.parse(serving.since))} ago. `
  return {
    headline: {
      ...headline(
        'fail',
        serves === null
          ? 'The proof of the last deploy is broken'
          : `${serves}, but its proof is broken`,
        `${green}${whatChanged(trouble)}, so nothing vouches for it now.`,
      ),
      errorClass: 'proof_broken',
    },
    next: prove(standing, trouble.run_id),
  }
}

/** A green deploy makes a new proof, of whatever origin/main holds. */
function prove(standing: Standing, runId: string | null): NextAction {
  const { target, serving } = standing
  const same = target === null || target === serving.commit
  const action = deploy(
    standing,
    `Deploy ${short(target ?? serving.commit)}${same ? ' again' : ''}.`,
    same
      ? 'A green run makes a new proof of the same commit.'
      : 'It is what origin/main holds now; a green run makes its proof.',
  )
  const path = runId === null ? '/proofs' : `/proofs/host/deploy/${runId}`
  return { ...action, why: { label: 'Why', path } }
}

/** The bundle of a green deploy lacks a file. */
export const incomplete: Case = (standing) => {
  const { change, serves, troubles, overview } = standing
  const proof = change.gates.at(-1)
  const alarms = overview.proof_alarms ?? []
  if (proof?.state !== 'fail' || troubles.length > 0 || alarms.length > 0) return null
  return {
    headline: {
      ...headline(
        'fail',
        `${serves ?? 'The change is deployed'}, but its proof is not complete`,
        `The bundle of its run: ${proof.detail ?? 'a file is missing'}.`,
      ),
      errorClass: null,
    },
    next: prove(standing, proof.run_id),
  }
}

function brokenShip(standing: Standing, trouble: ProofTrouble) {
  const { serves, change, commit } = standing
  const lost = change.gates[0]?.state === 'unproven'
  const where = trouble.place === 'host' ? `on ${standing.reach.name}` : 'on this laptop'
  return {
    headline: {
      ...headline(
        'fail',
        serves !== null && standing.serving.commit === change.commit
          ? `${serves}, but the proof of its ship is broken`
          : `The proof of the ship of ${commit ?? 'the change'} is broken`,
        `${whatChanged(trouble)} ${where}` +
          (lost ? ', and no whole copy is left.' : '. The other copy is whole.'),
      ),
      errorClass: 'proof_broken',
    },
    next: inspect(
      lost
        ? 'No whole copy of the proof is left: ship a new commit, which is tested and reviewed again.'
        : 'See which file changed, and since when. The next ship makes a new proof.',
      `/proofs/${trouble.place}/ship/${trouble.run_id}`,
    ),
  }
}

const whatChanged = ({ file, detail }: ProofTrouble): string =>
  file === null ? detail.replace(/\.$/, '') : `${file} has changed since it was sealed`

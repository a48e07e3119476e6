/** What holds and what does not while a proof is broken or unreadable: the list *Where things stand*. */
import type { ErrorClass } from '../errors.ts'
import { shortRun } from '../format.ts'
import { shortCommit } from '../ids.ts'
import type { Maintenance } from './maintenance.ts'
import { troubleOf, type ProofTrouble } from './proof.ts'
import type { Standing } from './standing.ts'

export interface Stand {
  readonly tone: 'pass' | 'warn' | 'fail'
  readonly text: string
  readonly error_class: ErrorClass | null
  /** Since when, or when it was read; null where nobody knows. */
  readonly at: string | null
  /** Page of HQ that shows more; null: none. */
  readonly path: string | null
}

/** Empty while no proof is in trouble: then headline and gates say everything. */
export function standsOf(standing: Standing): Stand[] {
  const { troubles } = standing
  if (troubles.length === 0) return []
  return [
    served(standing),
    ...troubles.map((trouble) => wrong(standing, trouble)),
    otherCopy(standing),
    maintained(standing.maintenance),
    wayBack(standing),
  ].filter((each) => each !== null)
}

const plain = { error_class: null, at: null, path: null } as const

function served({ serves, overview, reach }: Standing): Stand | null {
  if (serves === null) return null
  return {
    ...plain,
    tone: 'pass',
    text: `${serves} on ${reach.name}`,
    at: overview.connection.as_of,
  }
}

const sideOf = ({ reach }: Standing, place: ProofTrouble['place']): string =>
  place === 'host' ? reach.name : 'this laptop'

function wrong(
  standing: Standing,
  { kind, place, run_id, state, file, detail }: ProofTrouble,
): Stand {
  const of = `the ${kind} ${shortRun(run_id)} on ${sideOf(standing, place)}`
  const verb = state === 'broken' ? 'is not as it was sealed' : 'cannot be read'
  return {
    ...plain,
    tone: 'fail',
    text:
      file === null
        ? `The proof of ${of}: ${detail.replace(/\.$/, '')}`
        : `${file} of ${of} ${verb}`,
    error_class: state === 'broken' ? 'proof_broken' : 'state_invalid',
    path: `/proofs/${place}/${kind}/${run_id}`,
  }
}

/** A ship is proven on both sides: what the copy elsewhere says decides whether anything is lost. */
function otherCopy(standing: Standing): Stand | null {
  const gate = standing.change.gates[0]
  const trouble = troubleOf(standing.troubles, 'ship', gate?.run_id)
  if (trouble === null) return null
  if (gate?.state === 'unproven')
    return { ...plain, tone: 'fail', text: 'No whole proof of the ship is left' }
  const other = trouble.place === 'host' ? 'laptop' : 'host'
  return {
    ...plain,
    tone: 'pass',
    text: `The copy on ${sideOf(standing, other)} is whole, so the ship stays proven`,
    path: `/proofs/${other}/ship/${trouble.run_id}`,
  }
}

function maintained({ held, by, since, run_id }: Maintenance): Stand | null {
  const warn = { ...plain, tone: 'warn', at: since } as const
  if (held === 'left')
    return run_id === null
      ? { ...warn, text: 'Maintenance was not ended' }
      : {
          ...warn,
          text: `Maintenance was not ended after ${shortRun(run_id)}`,
          path: `/runs/${run_id}`,
        }
  if (held === 'person') return { ...warn, text: `Maintenance is held by ${by ?? 'a person'}` }
  if (held === 'unreadable')
    return { ...warn, text: 'The file of maintenance cannot be read, so maintenance counts as on' }
  return null
}

function wayBack({ rollbackTo }: Standing): Stand | null {
  if (rollbackTo === null) return null
  const text = `${shortCommit(rollbackTo)} was green before: Roll back goes there`
  return { ...plain, tone: 'pass', text, path: '/deploy' }
}

import type { ReactElement } from 'react'
import { Link } from 'wouter'
import { actions } from '#shared/actions'
import type { Evidence, EvidencePlace } from '#shared/evidence'
import type { ProofState } from '#shared/proof'
import { whyNot } from '#shared/state/buttons'
import { useActions } from '../../state/actions.tsx'
import { useLive, type Live } from '../../state/live.tsx'
import { shortCommit } from '../../text/format.ts'
import { PushButton } from '../../ui/push-button.tsx'

interface Props {
  readonly place: EvidencePlace
  readonly evidence: Evidence
  readonly state: ProofState
}

/** What a broken or unverified proof means, and the one thing that helps. */
export function WhatToDo({ place, evidence, state }: Props): ReactElement {
  const live = useLive()
  const { meaning, advice, deploys } = advise({ place, evidence, state }, live)
  return (
    <>
      <section>
        <h3>What that means</h3>
        <p>{meaning}</p>
      </section>
      <section>
        <h3>What to do</h3>
        <p>{advice}</p>
        {deploys && <DeployAgain commit={evidence.git_head} />}
        {state === 'broken' && place.side === 'host' && (
          <p className="soft small">
            If nobody meant to change the file, somebody else can write on {live.state.reach.name}.
            Find out who was signed in there before you trust it again.
          </p>
        )}
        {(live.overview.proof_alarms ?? []).length > 0 && (
          <p className="small">
            <Link href="/proofs">Acknowledge the alarm with a reason</Link>{' '}
            <span className="quiet">keeps the proof broken and ends the warning</span>
          </p>
        )}
      </section>
    </>
  )
}

function DeployAgain({ commit }: { commit: string | null }): ReactElement {
  const { run, busy } = useActions()
  const { buttons } = useLive().state
  return (
    <div className="row">
      <PushButton
        kind="main"
        icon="deploy"
        busy={busy}
        blocked={whyNot(buttons.deploy)}
        onPress={() => run('deploy_and_verify')}
      >
        {commit === null ? actions.deploy_and_verify.button : `Deploy ${shortCommit(commit)} again`}
      </PushButton>
    </div>
  )
}

interface Advice {
  readonly meaning: string
  readonly advice: string
  /** A deploy of the same commit makes a new proof. */
  readonly deploys: boolean
}

function advise({ place: { side, folder, run_id }, evidence, state }: Props, live: Live): Advice {
  const { overview, state: known } = live
  const commit = evidence.git_head === null ? 'the commit' : shortCommit(evidence.git_head)
  if (state === 'unverified')
    return {
      meaning: 'Nothing contradicts it, but nothing vouches for it either.',
      advice:
        'A run that was not sealed stays so; the next one is sealed. Where only a key is missing, enrol it in ' +
        'Settings and check again.',
      deploys: false,
    }
  if (folder === 'deploy' && overview.status?.last_deploy.run_id === run_id)
    return {
      meaning: `What ${known.reach.name} serves is untouched by this. What is gone is the proof that ${commit} passed.`,
      advice:
        `Deploy ${commit} again. It makes a new proof of the same commit and leaves this one in the list as ` +
        'broken.',
      deploys: true,
    }
  if (folder === 'ship')
    return {
      meaning:
        `The review of ${commit} also stands on origin, signed, where the host reads it. ` +
        `What is gone is the complete proof on ${side === 'host' ? known.reach.name : 'this laptop'}.`,
      advice:
        side === 'host'
          ? 'The copy on the laptop may be whole: open it on the page Proofs. The next ship makes a new proof.'
          : `The copy on ${known.reach.name} may be whole: open it on the page Proofs. ` +
            'The next ship makes a new proof.',
      deploys: false,
    }
  return {
    meaning: 'It is the proof of an older run. Newer runs have proofs of their own.',
    advice: 'It stays in the list as broken. Nothing is to be done for what serves now.',
    deploys: false,
  }
}

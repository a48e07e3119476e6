import type { ReactElement } from 'react'
import { Link } from 'wouter'
import type { ConnectorsReply } from '#shared/connectors'
import { errorRule } from '#shared/errors'
import { evidenceHref } from '#shared/evidence'
import { useLive } from '../../state/live.tsx'
import { RunId } from '../../ui/copy.tsx'
import { Status } from '../../ui/status.tsx'
import { Age } from '../../ui/time.tsx'
import { timeOfDay } from '../../text/format.ts'
import { ofProof } from '../../text/proof.ts'
import { ofOverall } from '../../text/status.ts'
import { bindStyles } from '../../ui/styles.ts'
import { runningPhase0 } from './phase0.tsx'
import styles from './connectors.module.css'

const css = bindStyles(styles)

/** The last Phase 0, and its proof. */
export function Phase0Card({ last }: { last: ConnectorsReply['last_phase0'] }): ReactElement {
  const { overview } = useLive()
  const running = runningPhase0(overview)
  return (
    <section className={css('section')} aria-label="Phase 0">
      <div className="list-head">
        <h2>Phase 0</h2>
        {last !== null && (
          <span className="quiet">
            <Age at={last.finished_at} />
          </span>
        )}
      </div>
      {running !== null && (
        <p className="soft">
          It reads the Kajabi library and the metadata of mail since{' '}
          {timeOfDay(running.started_at ?? running.requested_at)}.{' '}
          <Link href={`/runs/${running.run_id}`}>Follow the run</Link>
        </p>
      )}
      {last === null && running === null && (
        <p className="soft">
          Not run yet. Once Kajabi and Gmail are ready, it reads the Kajabi library and the metadata
          of mail, and leaves a proof.
        </p>
      )}
      {last !== null && <Last last={last} />}
    </section>
  )
}

function Last({ last }: { last: NonNullable<ConnectorsReply['last_phase0']> }): ReactElement {
  const { run_id, overall, error_class, verification } = last
  const proof = ofProof[verification]
  return (
    <div className={css('phase0')}>
      <Status shown={ofOverall(overall, error_class)} />
      <span className="soft">
        {error_class === null
          ? 'Both connectors were ready. The run says what was read of library and mail.'
          : `${errorRule(error_class).sentence}.`}{' '}
        {error_class !== null && <code className="mono">{error_class}</code>}
      </span>
      <span className="grow" />
      <span title={proof.title}>
        <Status shown={proof.shown} />
      </span>
      <RunId id={run_id} />
      <Link href={`/runs/${run_id}`}>Run</Link>
      <Link href={evidenceHref({ side: 'host', folder: 'phase0', run_id })}>Proof</Link>
    </div>
  )
}

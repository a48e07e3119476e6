import type { ReactElement } from 'react'
import type { CheckResult, ChecksResult } from '#shared/result'
import { actionOf, actions, type ActionId } from '#shared/actions'
import { whyNot } from '#shared/state/buttons'
import { useActions } from '../../state/actions.tsx'
import { useLive } from '../../state/live.tsx'
import { Matrix, tallyOf, worstFirst } from '../../ui/checks.tsx'
import { Nothing } from '../../ui/problem-note.tsx'
import { useRemedy } from '../../ui/remedy.ts'
import { PushButton } from '../../ui/push-button.tsx'
import { Status } from '../../ui/status.tsx'
import { Age } from '../../ui/time.tsx'
import { timeOfDay, took } from '../../text/format.ts'
import { ofCheck } from '../../text/status.ts'
import { visibleText } from '../../text/visible-text.ts'
import { bindStyles } from '../../ui/styles.ts'
import styles from './doctor.module.css'

const css = bindStyles(styles)

/** What doctor, guard, the port audit and the self-test found last, worst first, each with its remedy. */
export function DoctorPage(): ReactElement {
  const {
    overview: { status },
    state,
  } = useLive()
  const doctor = status?.last_doctor ?? null
  return (
    <div className="page">
      <div className={css('head head-many')}>
        <div className="grow">
          <h1>
            {state.health.title}
            {state.reach.stale && doctor ? `, as of ${timeOfDay(doctor.finished_at)}` : ''}
          </h1>
          <p className="sub">
            {state.health.outdated !== null && `Outdated: ${state.health.outdated}. `}
            {state.health.ports.sentence}
          </p>
        </div>
        <div className="head-actions">
          <RunButton action="doctor" />
          <RunButton action="port_audit" />
          <RunButton action="guard" />
          <RunButton action="selftest" />
          <RunButton action="tail_guard_log" />
        </div>
      </div>
      {doctor && (
        <div className={css('doctor-matrix')}>
          <Matrix
            checks={doctor.checks}
            faded={state.reach.stale || state.health.outdated !== null}
          />
        </div>
      )}
      <Section
        title={actions.doctor.title}
        result={doctor}
        none={`${actions.doctor.button} makes the host run every check.`}
      />
      <Section
        title="Ports"
        result={status?.last_port_audit ?? null}
        none={`${actions.port_audit.button} reads the kernel's sockets.`}
      />
      <Section
        title={actions.guard.title}
        result={status?.last_guard ?? null}
        none={`Guard runs by its timer; ${actions.guard.button} starts a pass now.`}
      />
      <Section
        title={actions.selftest.title}
        result={status?.last_selftest ?? null}
        none={`${actions.selftest.button} breaks each rule once, in a separate folder, and checks that HQ refuses it.`}
      />
    </div>
  )
}

function RunButton({ action }: { action: ActionId }): ReactElement {
  const { button } = actionOf(action)
  const press = useLive().state.buttons.of(action)
  const { run, busy } = useActions()
  return (
    <PushButton blocked={whyNot(press)} busy={busy} onPress={() => run(action)}>
      {press.state === 'blocked' ? `${button}: ${press.short}` : button}
    </PushButton>
  )
}

function Section({
  title,
  result,
  none,
}: {
  title: string
  result: ChecksResult | null
  none: string
}): ReactElement {
  const { state } = useLive()
  return (
    <section aria-label={`${title} checks`}>
      <div className="list-head">
        <h2>{title}</h2>
        {result && (
          <span className="quiet">
            {tallyOf(result.checks)} · <Age at={result.finished_at} />
          </span>
        )}
      </div>
      {result === null ? (
        <Nothing title="No result yet">{none}</Nothing>
      ) : (
        <table className={css(`rows rows-checks ${state.reach.stale ? 'faded' : ''}`)}>
          <thead>
            <tr>
              <th>State</th>
              <th>Check</th>
              <th>Found</th>
              <th className="hide-narrow">Took</th>
            </tr>
          </thead>
          <tbody>
            {worstFirst(result.checks).map((check) => (
              <Row key={check.name} check={check} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  )
}

function Row({
  check: { name, status, detail, remedy, duration_ms },
}: {
  check: CheckResult
}): ReactElement {
  const remedyOf = useRemedy()
  return (
    <tr>
      <td>
        <Status shown={ofCheck(status)} />
      </td>
      <td>
        <code className="mono">{visibleText(name)}</code>
      </td>
      <td className="wrap">
        <span className={status === 'PASS' || status === 'SKIP' ? 'soft' : ''}>
          {visibleText(detail)}
        </span>
        {remedy && status !== 'PASS' && (
          <span className={css('quiet remedy')}>{remedyOf(remedy)}</span>
        )}
      </td>
      <td className="quiet hide-narrow">{took(duration_ms)}</td>
    </tr>
  )
}

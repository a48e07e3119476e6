import type { ReactElement } from 'react'
import { Link } from 'wouter'
import { personName, personsMaintenance } from '#shared/maintenance'
import { inWords } from '#shared/state/connectors'
import { useLive } from '../../state/live.tsx'
import { CheckLine, Matrix, notGreen, tallyOf } from '../../ui/checks.tsx'
import { Icon } from '../../ui/icons.tsx'
import { Status } from '../../ui/status.tsx'
import { Age } from '../../ui/time.tsx'
import { count, shortRun, span, timeOfDay } from '../../text/format.ts'
import { visibleText } from '../../text/visible-text.ts'
import { NextActionCard } from './next-action-card.tsx'
import { PlanSection } from './plan-section.tsx'
import { bindStyles } from '../../ui/styles.ts'
import styles from './overview.module.css'

const css = bindStyles(styles)

export function Aside(): ReactElement {
  return (
    <div className={css('aside')}>
      <NextActionCard />
      <PlanSection />
      <DoctorSection />
      <PortsSection />
      <ConnectorsSection />
      <MaintenanceSection />
    </div>
  )
}

/** The age of a section, or *as of* while the host is unreachable. */
function When({ at }: { at: string }): ReactElement {
  const { state } = useLive()
  return state.reach.stale ? (
    <span className="as-of">
      <Icon name="clock" small />
      as of {timeOfDay(at)}
    </span>
  ) : (
    <span className="quiet small">
      <Age at={at} />
    </span>
  )
}

function DoctorSection(): ReactElement {
  const {
    overview: { status },
    state,
  } = useLive()
  const doctor = status?.last_doctor ?? null
  return (
    <section className={css('sec')} aria-label="Doctor">
      <div className={css('sec-head')}>
        <h2>
          <Link href="/doctor" className="plain-link">
            Doctor
          </Link>
        </h2>
        {doctor && <When at={doctor.finished_at} />}
      </div>
      {doctor === null ? (
        <p className="quiet">Doctor has not run yet.</p>
      ) : (
        <>
          <Matrix
            checks={doctor.checks}
            faded={state.reach.stale || state.health.outdated !== null}
          />
          <div className={css('lines')}>
            <div className="line soft">{tallyOf(doctor.checks)}</div>
            {state.health.outdated !== null && (
              <div className="line soft">Outdated: {state.health.outdated}.</div>
            )}
            {notGreen(doctor.checks)
              .slice(0, 4)
              .map((check) => (
                <CheckLine key={check.name} check={check} />
              ))}
          </div>
        </>
      )}
    </section>
  )
}

function PortsSection(): ReactElement {
  const { state } = useLive()
  const { checks, open, at, deploy_run_id } = state.health.ports
  const bad = checks.filter((check) => check.status === 'FAIL')
  return (
    <section className={css('sec')} aria-label="Ports">
      <div className={css('sec-head')}>
        <h2>
          <Link href="/doctor" className="plain-link">
            Ports
          </Link>
        </h2>
        {at !== null && (
          <span className="row">
            {deploy_run_id !== null && <span className="quiet small">by a deploy</span>}
            <When at={at} />
          </span>
        )}
      </div>
      {at === null ? (
        <p className="quiet">The ports have not been read yet.</p>
      ) : (
        <div className={css(`lines ${state.reach.stale ? 'faded' : ''}`)}>
          <div className="line">
            <Status
              shown={
                open === 0
                  ? { tone: 'pass', word: 'No public port found' }
                  : { tone: 'fail', word: `${count(open, 'port')} reachable from outside` }
              }
            />
            <span className="line-end">{count(checks.length, 'check')}</span>
          </div>
          {(bad.length > 0 ? bad : checks).slice(0, 5).map((check) => (
            <div key={check.name} className="line">
              <code className="mono nowrap">{check.name.replace(/^ports:/, '')}</code>
              <span className="line-end ellipsis" title={visibleText(check.detail)}>
                {visibleText(check.detail)}
              </span>
            </div>
          ))}
        </div>
      )}
    </section>
  )
}

/** One line with the state of each connector; nothing of a host that is of before them. */
function ConnectorsSection(): ReactElement | null {
  const {
    overview: { status },
    state,
  } = useLive()
  const known = status?.connectors
  if (known === undefined && state.connectors.length === 0) return null
  return (
    <section className={css('sec')} aria-label="Connectors">
      <div className={css('sec-head')}>
        <h2>
          <Link href="/connectors" className="plain-link">
            Connectors
          </Link>
        </h2>
        {known != null && <When at={known.checked_at} />}
      </div>
      {state.connectors.length === 0 ? (
        <p className="quiet">The connectors have not been checked yet.</p>
      ) : (
        <div className={css(`line connectors-line ${state.reach.stale ? 'faded' : ''}`)}>
          {state.connectors.map((each) => (
            <Status key={each.name} shown={{ tone: each.tone, word: inWords(each) }} />
          ))}
        </div>
      )}
    </section>
  )
}

function MaintenanceSection(): ReactElement | null {
  const {
    overview: { status },
    state,
    now,
  } = useLive()
  if (!status) return null
  const { on, file } = status.maintenance
  const person = personsMaintenance(status.maintenance)
  const lastSeen = state.reach.stale ? ' when last seen' : ''
  return (
    <section className={css('sec')} aria-label="Maintenance">
      <div className={css('sec-head')}>
        <h2>Maintenance</h2>
        <Status
          shown={
            on
              ? { tone: 'warn', word: `${file ? `On, ${since(file, now)}` : 'On'}${lastSeen}` }
              : { tone: 'wait', word: `Off${lastSeen}` }
          }
        />
      </div>
      {on && file && (
        <p className="quiet">
          {person !== null || file.deploy_run_id === null ? (
            visibleText(
              `Put on by ${personName(person ?? { by: null })}: ${person?.reason ?? file.reason}`,
            )
          ) : (
            <>
              Since deploy{' '}
              <Link href={`/runs/${file.deploy_run_id}`} className="mono">
                {shortRun(file.deploy_run_id)}
              </Link>
              ; a green one ends it.
            </>
          )}
        </p>
      )}
      {on && !file && <p className="quiet">Its file cannot be read, so it counts as on.</p>}
    </section>
  )
}

const since = (file: { since: string }, now: number): string => span(now - Date.parse(file.since))

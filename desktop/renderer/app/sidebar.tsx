import type { ReactElement, ReactNode } from 'react'
import { Link, useLocation } from 'wouter'
import { useHq } from '../bridge/context.ts'
import { Claw, Icon, Mark } from '../ui/icons.tsx'
import { count } from '../text/format.ts'
import { ofOverall, type Tone } from '../text/status.ts'
import { useLive } from '../state/live.tsx'
import { isAt, places, type Place } from './pages.ts'

interface Badge {
  readonly tone: Tone
  readonly number: number | null
  readonly words: string
}

/** What a page has to say beside its name: what runs, what is wrong, what waits. */
function useBadges(): Partial<Record<string, Badge>> {
  const {
    overview: { status, ship, repository, proof_alarms: alarms = [] },
    facts,
  } = useLive()
  const badges: Partial<Record<string, Badge>> = {}
  const runs = status?.active_runs.length ?? 0
  if (runs > 0 && !facts.stale)
    badges['/runs'] = { tone: 'running', number: runs, words: `${runs} running` }
  const bad = status?.last_doctor?.checks.filter((check) => check.status === 'FAIL').length ?? 0
  const odd = status?.last_doctor?.checks.filter((check) => check.status === 'WARN').length ?? 0
  if (bad > 0) badges['/doctor'] = { tone: 'fail', number: bad, words: `${bad} failing` }
  else if (odd > 0) badges['/doctor'] = { tone: 'warn', number: odd, words: count(odd, 'warning') }
  if (alarms.length > 0)
    badges['/proofs'] = {
      tone: 'fail',
      number: alarms.length,
      words: count(alarms.length, 'alarm'),
    }
  if (facts.ship) badges['/ship'] = { tone: 'running', number: null, words: 'running' }
  else if (ship?.result?.overall === 'FAIL' && ship.result.git_head === repository?.head) {
    const { tone, word } = ofOverall('FAIL', ship.result.error_class)
    badges['/ship'] = { tone, number: null, words: word.toLowerCase() }
  } else if ((repository?.ahead ?? 0) > 0)
    badges['/ship'] = {
      tone: 'wait',
      number: repository?.ahead ?? 0,
      words: `${count(repository?.ahead ?? 0, 'commit')} to ship`,
    }
  return badges
}

export function Sidebar(): ReactElement {
  const { info } = useHq()
  const {
    overview: { repository, connection },
  } = useLive()
  const badges = useBadges()
  const shown = places.filter((place) => info.operator || place.needsOperator !== true)
  return (
    <aside className="side">
      <div className="brand">
        <Claw />
        <span>OpenClaw HQ</span>
      </div>
      <nav className="nav" aria-label="Main">
        {shown.map((place) => (
          <Entry key={place.path} place={place} badge={badges[place.path] ?? null} />
        ))}
      </nav>
      <div className="side-foot">
        {repository && (
          <span className="ellipsis">
            {repository.name}
            {repository.branch ? ` · ${repository.branch}` : ''}
          </span>
        )}
        {info.mode === 'console' && <span>Console of {connection.name ?? 'the host'}</span>}
        <span>Version {info.version}</span>
      </div>
    </aside>
  )
}

function Entry({ place, badge }: { place: Place; badge: Badge | null }): ReactElement {
  const [location] = useLocation()
  const current = isAt(place, location)
  return (
    <>
      {place.path === '/settings' && <hr />}
      <Link
        href={place.path}
        title={place.title}
        aria-label={badge ? `${place.title}, ${badge.words}` : place.title}
        {...(current ? { 'aria-current': 'page' as const } : {})}
      >
        <Icon name={place.icon} />
        <span className="nav-title">{place.title}</span>
        {badge && <BadgeMark badge={badge} />}
      </Link>
    </>
  )
}

function BadgeMark({ badge }: { badge: Badge }): ReactNode {
  return (
    <span className={`badge ${badge.tone}`}>
      {badge.tone !== 'wait' && <Mark tone={badge.tone} small />}
      {badge.number}
    </span>
  )
}

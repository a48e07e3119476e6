import type { ReactElement, ReactNode } from 'react'
import { Link, useLocation } from 'wouter'
import { useHq } from '../bridge/context.ts'
import { Claw, Icon, Mark } from '../ui/icons.tsx'
import type { PageMark } from '#shared/state/marks'
import { isAt, type HqPage } from '../pages/page.ts'
import { useLive } from '../state/live.tsx'
import { pagesFor } from './pages.ts'
import { bindStyles } from '../ui/styles.ts'
import styles from './sidebar.module.css'

const css = bindStyles(styles)

export function Sidebar(): ReactElement {
  const { info } = useHq()
  const { overview, state } = useLive()
  const { repository, connection } = overview
  return (
    <aside className={css('side')}>
      <div className="brand">
        <Claw />
        <span>OpenClaw HQ</span>
      </div>
      <nav className={css('nav')} aria-label="Main">
        {pagesFor(info.operator).map((page) => (
          <Entry key={page.path} page={page} badge={page.mark ? state.marks[page.mark] : null} />
        ))}
      </nav>
      <div className={css('side-foot')}>
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

function Entry({ page, badge }: { page: HqPage; badge: PageMark | null }): ReactElement {
  const [location] = useLocation()
  const current = isAt(page, location)
  return (
    <>
      {page.apart && <hr />}
      <Link
        href={page.path}
        title={page.title}
        aria-label={badge ? `${page.title}, ${badge.text}` : page.title}
        {...(current ? { 'aria-current': 'page' as const } : {})}
      >
        <Icon name={page.icon} />
        <span className={css('nav-title')}>{page.title}</span>{' '}
        {badge && <BadgeMark badge={badge} />}
      </Link>
    </>
  )
}

function BadgeMark({ badge }: { badge: PageMark }): ReactNode {
  return (
    <span className={css(`badge ${badge.tone}`)}>
      {badge.tone !== 'wait' && <Mark tone={badge.tone} small />}
      {badge.number}
    </span>
  )
}

import type { ReactElement } from 'react'
import { Link } from 'wouter'
import { useLive } from '../../state/live.tsx'
import { Mark } from '../../ui/icons.tsx'
import { Age } from '../../ui/time.tsx'
import { visibleText } from '../../text/visible-text.ts'
import { bindStyles } from '../../ui/styles.ts'
import styles from './overview.module.css'

const css = bindStyles(styles)

/** What holds and what does not, while a proof is broken or unreadable. */
export function Stands(): ReactElement | null {
  const { stands } = useLive().state
  if (stands.length === 0) return null
  return (
    <section className={css('stands')} aria-label="Where things stand">
      <div className="list-head">
        <h2>Where things stand</h2>
      </div>
      <ul className="lined-list">
        {stands.map(({ tone, text, error_class, at, path }) => (
          <li key={text} className={tone}>
            <Mark tone={tone} />
            <span className={css('stand-text')}>
              {path === null ? (
                visibleText(text)
              ) : (
                <Link href={path} className="plain-link">
                  {visibleText(text)}
                </Link>
              )}{' '}
              {error_class !== null && <code className="mono tone-text">{error_class}</code>}
            </span>
            <span className="grow" />
            {at !== null && (
              <span className="quiet nowrap">
                <Age at={at} />
              </span>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}

import type { ReactElement, ReactNode } from 'react'
import { bindStyles } from '../../ui/styles.ts'
import styles from './settings.module.css'

const css = bindStyles(styles)

/** One part of the settings: what it is on the left, its fields on the right. */
export function Part({
  title,
  about,
  children,
}: {
  title: string
  about: ReactNode
  children: ReactNode
}): ReactElement {
  return (
    <section className={css('part')} aria-label={title}>
      <div className={css('part-about')}>
        <h2>{title}</h2>
        <p className="quiet">{about}</p>
      </div>
      <div className="part-fields">{children}</div>
    </section>
  )
}

import type { ReactElement } from 'react'
import { Claw } from '../../ui/icons.tsx'
import { bindStyles } from '../../ui/styles.ts'
import styles from './entry.module.css'

const css = bindStyles(styles)

/** The page cannot go on; it says why and that nothing is lost. */
export function Stranded({ title, cause }: { title: string; cause: string }): ReactElement {
  return (
    <main className={css('entry')}>
      <section className={css('entry-card')}>
        <div className="brand">
          <Claw />
          <span>OpenClaw HQ</span>
        </div>
        <h1>{title}</h1>
        <p className="soft">{cause}</p>
      </section>
    </main>
  )
}

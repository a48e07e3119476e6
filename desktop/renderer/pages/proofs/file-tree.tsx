import type { ReactElement } from 'react'
import { Link } from 'wouter'
import { evidenceHref, isSealFile, type EvidenceFile, type EvidencePlace } from '#shared/evidence'
import { bytes, count, grouped } from '../../text/format.ts'
import { problemText } from '../../text/proof.ts'
import { visibleText } from '../../text/visible-text.ts'
import { Mark } from '../../ui/icons.tsx'
import { bindStyles } from '../../ui/styles.ts'
import styles from './evidence.module.css'

const css = bindStyles(styles)

/** Files that are listed; a run may leave 20,000. */
const maxListed = 400

const groups: readonly { readonly title: string; readonly has: (path: string) => boolean }[] = [
  { title: 'Statements', has: (path) => isSealFile(path) || /(?:\.intoto|^verdict)/.test(path) },
  { title: 'Logs', has: (path) => /\.(?:log|ndjson|txt|out)$/.test(path) },
  { title: 'Result', has: (path) => path.endsWith('.json') },
  { title: 'Other', has: () => true },
]
const order = ['Result', 'Statements', 'Logs', 'Other']

const groupOf = (path: string): string => groups.find(({ has }) => has(path))?.title ?? 'Other'

/** The files of a run by what they are: each with its size, and a mark when it is not as it was sealed. */
export function FileTree({
  place,
  files,
  current,
}: {
  place: EvidencePlace
  files: readonly EvidenceFile[]
  current: string | null
}): ReactElement {
  const sealed = files.some((file) => file.sealed !== null)
  const total = files.reduce((sum, { size }) => sum + (size ?? 0), 0)
  const listed = files
    .toSorted((a, b) => Number(b.problem !== null) - Number(a.problem !== null))
    .slice(0, maxListed)
  const byGroup = Map.groupBy(listed, ({ path }) => groupOf(path))
  return (
    <nav className={css('tree')} aria-label="Files">
      <h2>
        <span>
          {count(files.length, 'file')}
          {sealed ? ', sealed' : ''}
        </span>
        <span>{bytes(total)}</span>
      </h2>
      {order.map((title) => {
        const members = byGroup.get(title)
        return members === undefined ? null : (
          <section key={title} aria-label={title}>
            <h3>{title}</h3>
            <ul>
              {members
                .toSorted((a, b) => (a.path < b.path ? -1 : 1))
                .map((file) => (
                  <TreeFile key={file.path} place={place} file={file} current={current} />
                ))}
            </ul>
          </section>
        )
      })}
      {files.length > listed.length && (
        <p className="quiet small">
          {grouped(files.length - listed.length)} more; manifest.json lists all of them.
        </p>
      )}
    </nav>
  )
}

function TreeFile({
  place,
  file: { path, size, problem },
  current,
}: {
  place: EvidencePlace
  file: EvidenceFile
  current: string | null
}): ReactElement {
  const says = problem === null ? '' : problemText[problem]
  return (
    <li>
      <Link
        href={evidenceHref(place, path)}
        title={visibleText(says === '' ? path : `${path}: ${says}`)}
        {...(path === current ? { 'aria-current': 'true' as const } : {})}
      >
        <span className={css('tree-name')}>{visibleText(path)}</span>
        <span className={css('tree-end')}>
          {problem !== null && (
            <>
              <Mark tone="fail" small />
              <span className="unseen">{says}</span>
            </>
          )}
          {size === null ? 'gone' : bytes(size)}
        </span>
      </Link>
    </li>
  )
}

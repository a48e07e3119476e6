import type { ReactElement } from 'react'
import type { UntilGreen } from '#shared/result'
import { FileLink } from '../../ui/file-link.tsx'
import { Mark } from '../../ui/icons.tsx'
import { Status } from '../../ui/status.tsx'
import { count, shortCommit, took } from '../../text/format.ts'
import { ofOverall } from '../../text/status.ts'
import { visibleText } from '../../text/visible-text.ts'
import { bindStyles } from '../../ui/styles.ts'
import styles from './attempts.module.css'
import folderStyles from './ship.module.css'

const css = bindStyles(styles, folderStyles)

/** The attempts of a ship with repairs, what was done between them, and which protected files that changed. */
export function Attempts({ until, runId }: { until: UntilGreen; runId: string }): ReactElement {
  const { attempts, repairs, bound, stopped, protected_changes, kept_ref } = until
  const file = (folder: string, name: string): ReactElement => (
    <FileLink file={{ source: 'ship', runId, path: `${folder}/${name}` }}>{name}</FileLink>
  )
  return (
    <section aria-label="Until green">
      <h2>
        <span>Until green</span>
        <span>
          {repairs.length} of {count(bound, 'repair')}
        </span>
      </h2>
      <ol className={css('attempts')}>
        {attempts.map(({ number, git_head, overall, error_class, detail, folder }) => {
          const repair = repairs.find((each) => each.number === number)
          return (
            <li key={number}>
              <div className="line" title={detail === null ? '' : visibleText(detail)}>
                <Status shown={ofOverall(overall, error_class)} />
                <span className="nowrap">attempt {number}</span>
                {error_class !== null && <code className="mono ellipsis quiet">{error_class}</code>}
                <code className="mono line-end">
                  {git_head === null ? '' : shortCommit(git_head)}
                </code>
              </div>
              {folder !== '' && (
                <div className={css('attempt-files')}>{file(folder, 'ship_result.json')}</div>
              )}
              {repair && (
                <div className={css('attempt-repair')}>
                  <div className="line">
                    <Mark tone={repair.commit === null ? 'fail' : 'pass'} small />
                    <span className="ellipsis" title={visibleText(repair.implementer)}>
                      repair {number}: {visibleText(repair.error_class ?? repair.detail)}
                    </span>
                    <span className="line-end">{took(repair.duration_ms)}</span>
                  </div>
                  <div className={css('attempt-files')}>
                    {file(repair.folder, 'implementer_prompt.txt')}
                    {repair.commit !== null && file(repair.folder, 'repair.patch')}
                    {file(repair.folder, 'repair.log')}
                  </div>
                </div>
              )}
            </li>
          )
        })}
      </ol>
      <p className={css('soft verdict-summary')}>It ended: {visibleText(stopped)}.</p>
      {protected_changes.length > 0 && (
        <div className={css('attempt-protected warn')}>
          <p>
            <Mark tone="warn" small /> Repairs changed{' '}
            {count(protected_changes.length, 'protected file')}; check them before you deploy:
          </p>
          <ul aria-label="Protected files changed">
            {protected_changes.map(({ path, status }) => (
              <li key={path} className="mono">
                {visibleText(path)} <span className="quiet">{status}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
      {kept_ref !== null && (
        <p className={css('soft verdict-summary')}>
          Main was not moved. The last repair is kept as <code className="mono">{kept_ref}</code>.
        </p>
      )}
    </section>
  )
}

import { useMemo, type ReactElement } from 'react'
import { Button } from 'react-aria-components'
import type { ShipDetail } from '#shared/bridge'
import type { Finding } from '#shared/verdict'
import { Icon, Mark } from '../../ui/icons.tsx'
import { Nothing } from '../../ui/problem-note.tsx'
import { count } from '../../text/format.ts'
import { visibleText } from '../../text/visible-text.ts'
import { diffFiles, type DiffFile } from './diff-model.ts'
import { FileDiff } from './file-diff.tsx'
import { bindStyles } from '../../ui/styles.ts'
import styles from './changes.module.css'

const css = bindStyles(styles)

/** The reviewed change: its files, and the diff of one with the findings beside the lines. */
export function Changes({
  detail,
  filesShown,
  chosen,
  finding,
  onChoose,
}: {
  detail: ShipDetail
  filesShown: boolean
  chosen: string | null
  /** The one to bring into view. */ finding: Finding | null
  onChoose: (path: string) => void
}): ReactElement {
  const { diff, files, findings } = detail
  const all = useMemo(() => diffFiles(diff, files, findings), [diff, files, findings])
  const withFindings = all.filter((file) => file.findings > 0)
  const file =
    all.find(({ path }) => path === chosen) ??
    withFindings.find(({ blocking }) => blocking) ??
    withFindings[0] ??
    all[0] ??
    null
  if (file === null)
    return (
      <div className={css('changes-none')}>
        <Nothing title="No diff was reviewed">
          The ship ended before its review read the change; the log says where.
        </Nothing>
      </div>
    )
  const at = withFindings.indexOf(file)
  const go = (by: number): void => {
    const next = withFindings[(at + by + withFindings.length) % withFindings.length]
    if (next) onChoose(next.path)
  }
  return (
    <div className={css(`changes ${filesShown ? 'with-files' : ''}`)}>
      <FileTree files={all} current={file} onChoose={onChoose} />
      <section className="pane" aria-label={`Changes of ${visibleText(file.path)}`}>
        <div className={css('diff-bar')}>
          <Icon name="file" small className="quiet" />
          <code className="mono ellipsis">{visibleText(file.path)}</code>
          <span className="quiet small nowrap">
            +{file.additions} −{file.deletions}
          </span>
          <span className="grow" />
          {findings.length > 0 && (
            <span className="quiet small nowrap">
              {count(findings.length, 'finding')} in {count(withFindings.length, 'file')}
            </span>
          )}
          {withFindings.length > 1 && (
            <>
              <Button
                className="icon-button"
                aria-label="Previous file with findings"
                onPress={() => go(-1)}
              >
                <Icon name="up" small />
              </Button>
              <Button
                className="icon-button"
                aria-label="Next file with findings"
                onPress={() => go(1)}
              >
                <Icon name="down" small />
              </Button>
            </>
          )}
        </div>
        <FileDiff file={file} finding={finding} />
      </section>
    </div>
  )
}

function labelOf({ path, additions, deletions, findings }: DiffFile): string {
  const lines = `${visibleText(path)} +${additions} −${deletions}`
  return findings > 0 ? `${lines}, ${count(findings, 'finding')}` : lines
}

function FileTree({
  files,
  current,
  onChoose,
}: {
  files: readonly DiffFile[]
  current: DiffFile
  onChoose: (path: string) => void
}): ReactElement {
  const folders = new Map<string, DiffFile[]>()
  for (const file of files) {
    const cut = file.path.lastIndexOf('/')
    const folder = cut < 0 ? '' : file.path.slice(0, cut)
    folders.set(folder, [...(folders.get(folder) ?? []), file])
  }
  const sum = (of: 'additions' | 'deletions'): number =>
    files.reduce((total, file) => total + file[of], 0)
  return (
    <nav className={css('tree')} aria-label="Changed files">
      <h2>
        <span>{count(files.length, 'file')}</span>
        <span>
          +{sum('additions')} −{sum('deletions')}
        </span>
      </h2>
      {[...folders].map(([folder, own]) => (
        <div key={folder}>
          {folder !== '' && (
            <span className={css('tree-folder ellipsis')} title={visibleText(folder)}>
              {visibleText(folder)}
            </span>
          )}
          {own.map((file) => (
            <Button
              key={file.path}
              className={css('tree-file')}
              {...(file === current ? { 'aria-current': 'true' as const } : {})}
              aria-label={labelOf(file)}
              onPress={() => onChoose(file.path)}
            >
              <span className="ellipsis">
                {visibleText(file.path.slice(folder === '' ? 0 : folder.length + 1))}
              </span>{' '}
              <span className={css('tree-end')}>
                {file.findings > 0 &&
                  (file.blocking ? <Mark tone="blocked" small /> : <Icon name="note" small />)}
                +{file.additions} −{file.deletions}
              </span>
            </Button>
          ))}
        </div>
      ))}
    </nav>
  )
}

import { useQuery } from '@tanstack/react-query'
import type { ReactElement } from 'react'
import { useHq } from '../../bridge/context.ts'
import { folderQuery } from '../../bridge/queries.ts'
import { Sheet } from '../../ui/dialog.tsx'
import { FileLink } from '../../ui/file-sheet.tsx'
import { Nothing, ProblemNote } from '../../ui/problem-note.tsx'
import { bytes } from '../../text/format.ts'
import { bindStyles } from '../../ui/styles.ts'
import styles from './proofs.module.css'

const css = bindStyles(styles)

/** The files of a bundle as the host has them. */
export function FilesSheet({
  folder,
  runId,
  onClose,
}: {
  folder: string
  runId: string
  onClose: () => void
}): ReactElement {
  const { bridge } = useHq()
  const { data, error } = useQuery(folderQuery(bridge, folder))
  return (
    <Sheet title={folder} onClose={onClose}>
      {error && <ProblemNote error={error} />}
      {data?.entries.length === 0 && <Nothing title="No file is there" />}
      <ul className={css('files files-sheet')}>
        {data?.entries.map(({ name, type, size }) => (
          <li key={name}>
            {type === 'file' ? (
              <FileLink file={{ source: 'host', runId, path: `${folder}/${name}` }}>
                {name}
              </FileLink>
            ) : (
              <span className="soft">{name}/</span>
            )}
            <span className="files-end">{size === null ? '' : bytes(size)}</span>
          </li>
        ))}
      </ul>
    </Sheet>
  )
}

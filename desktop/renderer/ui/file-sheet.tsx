import { useQuery } from '@tanstack/react-query'
import { useState, type ReactElement } from 'react'
import { Button } from 'react-aria-components'
import { useHq } from '../bridge/context.ts'
import { fileQuery, type FileRef } from '../bridge/queries.ts'
import { visibleText } from '../text/visible-text.ts'
import { Sheet } from './dialog.tsx'
import { ProblemNote } from './problem-note.tsx'
import { bindStyles } from './styles.ts'
import styles from './file-sheet.module.css'

const css = bindStyles(styles)

/** A link that opens a file of a proof, as text. */
export function FileLink({ file, children }: { file: FileRef; children: string }): ReactElement {
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button className="link-button" onPress={() => setOpen(true)}>
        {children}
      </Button>
      {open && <FileSheet file={file} onClose={() => setOpen(false)} />}
    </>
  )
}

function FileSheet({ file, onClose }: { file: FileRef; onClose: () => void }): ReactElement {
  const { bridge } = useHq()
  const { data, error } = useQuery(fileQuery(bridge, file))
  const text = data ? visibleText(data.text) : ''
  return (
    <Sheet title={file.path} onClose={onClose} {...(data ? { copy: data.text } : {})}>
      {error && <ProblemNote error={error} />}
      {data?.truncated === true && (
        <p className={css('soft sheet-say')}>Only the first part is shown; the file is longer.</p>
      )}
      {data && (
        <ol className={css('file-text')}>
          {text.split('\n').map((line, index) => (
            <li key={index}>
              <code>{line}</code>
            </li>
          ))}
        </ol>
      )}
    </Sheet>
  )
}

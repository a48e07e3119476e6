import type { ReactElement } from 'react'
import { Link } from 'wouter'
import { hrefOfFile, type FileRef } from '../text/evidence-address.ts'

/** A link to a file of a proof. */
export function FileLink({ file, children }: { file: FileRef; children: string }): ReactElement {
  return (
    <Link href={hrefOfFile(file)} className="file-link">
      {children}
    </Link>
  )
}

import { useMemo } from 'react'
import { plainText } from '../ui/ansi-text.tsx'
import type { LogView } from './log-stream.ts'

/** Rows of the log in which the query occurs, in order. Empty for an empty query. */
export function useMatches(view: LogView, query: string): readonly number[] {
  return useMemo(() => {
    const find = query.toLowerCase()
    if (find === '') return []
    const found: number[] = []
    view.log.rows.forEach((row, index) => {
      if (row.kind === 'line' && plainText(row.text).toLowerCase().includes(find)) found.push(index)
    })
    return found
  }, [view, query])
}

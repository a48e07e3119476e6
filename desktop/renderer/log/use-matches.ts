import { useMemo } from 'react'
import { plainText } from './ansi-text.tsx'
import type { LogState } from './log-state.ts'

/** Rows of the log in which the query occurs, in order. Empty for an empty query. */
export function useMatches(log: LogState, version: number, query: string): readonly number[] {
  return useMemo(() => {
    const find = query.toLowerCase()
    if (find === '') return []
    const found: number[] = []
    log.rows.forEach((row, index) => {
      if (row.kind === 'line' && plainText(row.text).toLowerCase().includes(find)) found.push(index)
    })
    return found
    // version stands for the state, which grows in place.
  }, [log, version, query])
}

import { useMemo, useSyncExternalStore } from 'react'
import type { Bridge } from '../bridge/client.ts'
import { useHq } from '../bridge/context.ts'
import { emptyLog } from '../state/log-state.ts'
import { LogStream, type LogView } from './log-stream.ts'

const kept = 12
const streams = new WeakMap<Bridge, Map<string, LogStream>>()

/** One stream per run, however many views show it; the last few are kept for a reader who comes back. */
function streamOf(bridge: Bridge, source: 'host' | 'ship', runId: string): LogStream {
  const known = streams.get(bridge) ?? new Map<string, LogStream>()
  streams.set(bridge, known)
  const key = `${source} ${runId}`
  const stream = known.get(key) ?? new LogStream(bridge, { source, run_id: runId })
  known.delete(key)
  known.set(key, stream)
  for (const old of known.keys()) {
    if (known.size <= kept) break
    known.delete(old)
  }
  return stream
}

const none: LogView = { log: emptyLog(), stream: 'complete', problem: null, version: 0 }
const noStream: Pick<LogStream, 'view' | 'subscribe'> = {
  view: () => none,
  subscribe: () => () => undefined,
}

/** The live log of a run; an empty one for no run. */
export function useLog(source: 'host' | 'ship', runId: string | null): LogView {
  const { bridge } = useHq()
  const stream = useMemo(
    () => (runId === null ? noStream : streamOf(bridge, source, runId)),
    [bridge, source, runId],
  )
  return useSyncExternalStore(stream.subscribe, stream.view)
}

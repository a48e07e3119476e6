import { contextBridge, ipcRenderer } from 'electron'
import type { BridgeProblem, BridgeTransport } from '#shared/bridge'

/** The only connection between the page and the main process: these two functions, and nothing of Electron or Node. */

interface Stream {
  readonly onEvents: (events: readonly unknown[]) => void
  readonly onEnd: (problem: BridgeProblem | null) => void
}
const streams = new Map<string, Stream>()

ipcRenderer.on('bridge:events:push', (_event, id: string, events: readonly unknown[]) => {
  streams.get(id)?.onEvents(events)
  // The main process sends the next batch when this one has arrived.
  ipcRenderer.send('bridge:events:ack', id)
})
ipcRenderer.on('bridge:events:end', (_event, id: string, problem: BridgeProblem | null) => {
  const stream = streams.get(id)
  streams.delete(id)
  stream?.onEnd(problem)
})

const transport: BridgeTransport = {
  call: (name, input, shown) => ipcRenderer.invoke('bridge:call', name, input, shown),
  events: (request, onEvents, onEnd) => {
    const id = crypto.randomUUID()
    streams.set(id, { onEvents, onEnd })
    ipcRenderer.send('bridge:events:start', id, request)
    return () => {
      if (streams.delete(id)) ipcRenderer.send('bridge:events:stop', id)
    }
  },
}

contextBridge.exposeInMainWorld('openclaw', Object.freeze(transport))

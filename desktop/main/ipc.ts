import { ipcMain, type IpcMainEvent, type IpcMainInvokeEvent, type WebContents } from 'electron'
import type { BridgeProblem, BridgeReply } from '#shared/bridge'
import { errorRule, type ErrorClass } from '#shared/errors'
import type { Operator } from '../operator/operator.ts'
import { isPage } from './page.ts'

/** The only file that listens to the window. Every message is checked: any frame can send one. */

/** Largest request of the page, in characters of JSON. */
const maxInput = 256 * 1024
/** Live logs at once. */
const maxStreams = 32

const problem = (error_class: ErrorClass, message: string): BridgeProblem => ({
  error_class,
  message,
  next_auto_fix: errorRule(error_class).next_auto_fix,
})

const noName = problem('invalid_request', 'name: must be the name of a procedure.')

/** Only the top frame of HQ's page is answered. */
const isOurs = ({ senderFrame }: IpcMainEvent | IpcMainInvokeEvent): boolean =>
  senderFrame !== null && senderFrame.parent === null && isPage(senderFrame.url)

function tooLarge(input: unknown): boolean {
  try {
    return (JSON.stringify(input) ?? '').length > maxInput
  } catch {
    return true // not JSON (a cycle, a BigInt): nothing the bridge takes
  }
}

interface Stream {
  readonly owner: WebContents
  stop: () => void
  acknowledge: () => void
}

/** @returns ends every stream and answers no more; for when HQ quits */
export function handleBridge(operator: Operator): () => void {
  const bridge = new WindowBridge(operator)
  ipcMain.handle('bridge:call', (event, ...call: unknown[]) => bridge.call(event, call))
  ipcMain.on('bridge:events:start', (event, id: unknown, request: unknown) =>
    bridge.start(event, id, request),
  )
  ipcMain.on('bridge:events:ack', (event, id: unknown) => bridge.acknowledge(event, id))
  ipcMain.on('bridge:events:stop', (event, id: unknown) => bridge.stop(event, id))
  return () => bridge.close()
}

class WindowBridge {
  private readonly operator: Operator
  private readonly streams = new Map<string, Stream>()
  private readonly known = new WeakSet<WebContents>()
  private quitting = false

  constructor(operator: Operator) {
    this.operator = operator
  }

  async call(
    event: IpcMainInvokeEvent,
    [name, input, shown]: readonly unknown[],
  ): Promise<BridgeReply> {
    const refused = this.refusal(event, name, input)
    if (refused !== null || typeof name !== 'string')
      return { ok: false, problem: refused ?? noName }
    return this.operator.call(name, input, typeof shown === 'string' ? shown : null)
  }

  start(event: IpcMainEvent, id: unknown, request: unknown): void {
    if (this.quitting || !isOurs(event)) return
    if (typeof id !== 'string' || id.length > 64 || this.streams.has(id)) return
    const { sender } = event
    const send = (channel: string, payload: unknown): void => {
      if (!sender.isDestroyed()) sender.send(channel, id, payload)
    }
    if (tooLarge(request))
      return send('bridge:events:end', problem('body_too_large', 'The request is too large.'))
    if (this.streams.size >= maxStreams)
      return send(
        'bridge:events:end',
        problem('lane_busy', `HQ shows ${maxStreams} live logs already. Close one.`),
      )
    this.endWith(sender)
    const stream: Stream = { owner: sender, stop: () => undefined, acknowledge: () => undefined }
    this.streams.set(id, stream)
    stream.stop = this.operator.events(
      request,
      (events) => {
        const arrived = new Promise<void>((resolve) => {
          stream.acknowledge = resolve
        })
        send('bridge:events:push', events)
        return arrived
      },
      (ended) => {
        this.streams.delete(id)
        send('bridge:events:end', ended)
      },
    )
  }

  acknowledge(event: IpcMainEvent, id: unknown): void {
    this.streamOf(event, id)?.acknowledge()
  }

  stop(event: IpcMainEvent, id: unknown): void {
    if (typeof id === 'string' && this.streamOf(event, id)) this.end(id)
  }

  close(): void {
    this.quitting = true
    for (const id of this.streams.keys()) this.end(id)
  }

  private refusal(event: IpcMainInvokeEvent, name: unknown, input: unknown): BridgeProblem | null {
    if (!isOurs(event)) return problem('origin_refused', 'HQ answers its own page only.')
    if (this.quitting) return problem('cancelled', 'HQ is quitting; nothing was started.')
    if (typeof name !== 'string') return noName
    if (!tooLarge(input)) return null
    return problem(
      'body_too_large',
      `The request is not JSON or is larger than ${maxInput} characters.`,
    )
  }

  /** A stream is acknowledged and stopped only by the window that started it. */
  private streamOf(event: IpcMainEvent, id: unknown): Stream | null {
    if (!isOurs(event) || typeof id !== 'string') return null
    const stream = this.streams.get(id)
    return stream?.owner === event.sender ? stream : null
  }

  private end(id: string): void {
    const stream = this.streams.get(id)
    this.streams.delete(id)
    stream?.stop()
    stream?.acknowledge()
  }

  /** A page that was reloaded or lost its process does not stop what it began: its streams end with it. */
  private endWith(sender: WebContents): void {
    if (this.known.has(sender)) return
    this.known.add(sender)
    const endAll = (): void => {
      for (const [id, { owner }] of this.streams) if (owner === sender) this.end(id)
    }
    for (const gone of ['destroyed', 'did-navigate', 'render-process-gone'] as const)
      sender.on(gone as 'destroyed', endAll)
  }
}

import { ipcMain, type IpcMainEvent, type IpcMainInvokeEvent, type WebContents } from 'electron'
import type { BridgeProblem, BridgeReply } from '#shared/bridge'
import { errorRule, type ErrorClass } from '#shared/errors'
import type { Operator } from '../operator/operator.ts'
import { isPage } from './page.ts'

/** The only place that listens to the window. Every message is checked: any frame can send one. */

/** Largest question of the page, in characters of JSON. */
const maxInput = 256 * 1024
/** Live logs at once. */
const maxStreams = 32

const problem = (error_class: ErrorClass, message: string): BridgeProblem => ({
  error_class,
  message,
  next_auto_fix: errorRule(error_class).next_auto_fix,
})

/** Only the top frame of our own page may ask. */
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
  const streams = new Map<string, Stream>()
  const end = (id: string): void => {
    const stream = streams.get(id)
    streams.delete(id)
    stream?.stop()
    stream?.acknowledge()
  }
  const endAllOf = (owner: WebContents): void => {
    for (const [id, stream] of streams) if (stream.owner === owner) end(id)
  }
  const known = new WeakSet<WebContents>()
  let quitting = false

  ipcMain.handle(
    'bridge:call',
    async (event, name: unknown, input: unknown): Promise<BridgeReply> => {
      if (!isOurs(event))
        return { ok: false, problem: problem('origin_refused', 'HQ answers its own page only.') }
      if (quitting)
        return { ok: false, problem: problem('cancelled', 'HQ is quitting; nothing was started.') }
      if (typeof name !== 'string')
        return {
          ok: false,
          problem: problem('invalid_request', 'name: must be the name of a procedure.'),
        }
      if (tooLarge(input))
        return {
          ok: false,
          problem: problem(
            'body_too_large',
            `The question is not JSON or is larger than ${maxInput} characters.`,
          ),
        }
      return operator.call(name, input)
    },
  )

  ipcMain.on('bridge:events:start', (event, id: unknown, request: unknown) => {
    if (quitting || !isOurs(event) || typeof id !== 'string' || id.length > 64 || streams.has(id))
      return
    const { sender } = event
    const send = (channel: string, payload: unknown): void => {
      if (!sender.isDestroyed()) sender.send(channel, id, payload)
    }
    if (tooLarge(request))
      return send('bridge:events:end', problem('body_too_large', 'The question is too large.'))
    if (streams.size >= maxStreams)
      return send(
        'bridge:events:end',
        problem('lane_busy', `HQ shows ${maxStreams} live logs already. Close one.`),
      )
    if (!known.has(sender)) {
      known.add(sender)
      // A page that was reloaded or lost its process does not stop what it began.
      for (const gone of ['destroyed', 'did-navigate', 'render-process-gone'] as const)
        sender.on(gone as 'destroyed', () => endAllOf(sender))
    }
    const stream: Stream = { owner: sender, stop: () => undefined, acknowledge: () => undefined }
    streams.set(id, stream)
    stream.stop = operator.events(
      request,
      (events) => {
        const arrived = new Promise<void>((resolve) => {
          stream.acknowledge = resolve
        })
        send('bridge:events:push', events)
        return arrived
      },
      (ended) => {
        streams.delete(id)
        send('bridge:events:end', ended)
      },
    )
  })
  ipcMain.on('bridge:events:ack', (event, id: unknown) => {
    if (isOurs(event) && typeof id === 'string' && streams.get(id)?.owner === event.sender)
      streams.get(id)?.acknowledge()
  })
  ipcMain.on('bridge:events:stop', (event, id: unknown) => {
    if (isOurs(event) && typeof id === 'string' && streams.get(id)?.owner === event.sender) end(id)
  })

  return () => {
    quitting = true
    for (const id of streams.keys()) end(id)
  }
}

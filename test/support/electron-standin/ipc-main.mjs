import { EventEmitter } from 'node:events'
import { strict } from './strict.mjs'

const handlers = new Map()

class IpcMain extends EventEmitter {
  handle(channel, handler) {
    if (handlers.has(channel))
      throw new Error(`Attempted to register a second handler for '${channel}'`)
    handlers.set(channel, handler)
  }
}
const bare = new IpcMain()
export const ipcMain = strict('ipcMain', bare)

/** Gives a message of a page to the app. @param answer takes what goes back to an invoke */
export async function receive(message, event, answer) {
  if (message.type === 'send') {
    bare.emit(message.channel, event, ...message.args)
    return
  }
  try {
    const handler = handlers.get(message.channel)
    if (!handler) throw new Error(`No handler registered for '${message.channel}'`)
    answer({ type: 'reply', id: message.id, result: await handler(event, ...message.args) })
  } catch (error) {
    process.stderr.write(`Error occurred in handler for '${message.channel}': ${error.stack}\n`)
    answer({ type: 'reply', id: message.id, error: String(error) })
  }
}

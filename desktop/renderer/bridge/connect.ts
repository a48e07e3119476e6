import { z } from 'zod'
import type { BridgeTransport } from '#shared/bridge'
import { startOverOnNewSecret, takeSecret } from './serve-secret.ts'
import { serveTransport } from './serve-transport.ts'

/** How this page reaches the operator's services. `console` still needs the admin token; `stranded` cannot go on. */
export type Connection =
  | { readonly mode: 'desktop' | 'serve'; readonly transport: BridgeTransport }
  | { readonly mode: 'console' }
  | { readonly mode: 'stranded'; readonly title: string; readonly cause: string }

const modeFile = z.looseObject({ mode: z.enum(['serve', 'console']) })

/** Finds out who serves this page: the desktop's preload, `hq serve`, or the console. */
export async function connect(): Promise<Connection> {
  if (window.openclaw) return { mode: 'desktop', transport: window.openclaw }
  const mode = await readMode()
  if (mode === null)
    return {
      mode: 'stranded',
      title: 'HQ does not answer',
      cause:
        'This page got no answer from the program that serves it. Nothing was changed; ' +
        'reload the page when HQ is running.',
    }
  if (mode === 'console') return { mode }
  startOverOnNewSecret()
  const secret = await takeSecret()
  if (secret === null)
    return {
      mode: 'stranded',
      title: 'This tab has no key',
      cause:
        'The key is part of the address that HQ shows when it starts. Open that address. ' +
        'Without the key this page shows nothing.',
    }
  return { mode, transport: serveTransport(secret) }
}

async function readMode(): Promise<'serve' | 'console' | null> {
  try {
    const answer = await fetch('./openclaw-mode.json', { cache: 'no-store' })
    return answer.ok ? modeFile.parse(await answer.json()).mode : null
  } catch {
    return null // no answer, or one that is not the mode file: both mean that no program of HQ serves this page
  }
}

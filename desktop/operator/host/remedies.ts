/** What HQ itself can do about a diagnosis: switch Tailscale on, sign in, look for a path, open a page. */
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { Problem } from '#shared/errors'
import type { RemedyKind } from '#shared/host-connection'
import { readTailnet, runTailscale } from '#ops/platform/tailnet/client'
import type { HostPoller } from './poller.ts'

interface Options {
  /** Opens a page in the browser of this laptop. */
  readonly openBrowser: (url: string) => Promise<void>
  readonly poller: HostPoller
}

const downloadPage = 'https://tailscale.com/download'
/** Longest wait for Tailscale to come up, milliseconds. */
const upMs = 8000
/** Longest search for a path, milliseconds. */
const pathMs = 8000

/**
 * Does what the button of a diagnosis says.
 * @returns what the operator needs to know of how it went; null: nothing
 * @throws {Problem} `invalid_request` when it cannot be done here
 */
export async function applyRemedy(kind: RemedyKind, options: Options): Promise<string | null> {
  const { poller, openBrowser } = options
  if (kind === 'get_tailscale') await openBrowser(downloadPage)
  if (kind === 'open_page') await openDiagnosed(options)
  const said = await onTailscale(kind, options)
  await poller.refresh()
  return said
}

async function onTailscale(
  kind: RemedyKind,
  { poller, openBrowser }: Options,
): Promise<string | null> {
  if (kind === 'start_tailscale') return await startTailscale()
  if (kind === 'sign_in_tailscale') return await signIn(openBrowser)
  if (kind === 'find_path') return await findPath(poller)
  return null
}

async function openDiagnosed({ poller, openBrowser }: Options): Promise<void> {
  const page = poller.view().diagnosis?.page ?? null
  if (page === null) throw new Problem('invalid_request', 'There is no page to open now.')
  await openBrowser(page)
}

const notAllowed =
  'Tailscale did not let HQ do it. Its own window does it, or an administrator of this laptop.'

// Without a flag: with one, `up` refuses where a preference of this laptop is not the default.
async function startTailscale(): Promise<string | null> {
  const result = await runTailscale(['up'], undefined, upMs)
  return result?.exitCode === 0 ? null : notAllowed
}

/** The control server gives a page for the sign-in; Tailscale goes on by itself when it is done there. */
async function signIn(openBrowser: Options['openBrowser']): Promise<string | null> {
  const up = runTailscale(['up'], undefined, upMs)
  const page = await Promise.race([up.then(() => null), signInPage(AbortSignal.timeout(upMs))])
  if (page === null) return (await up)?.exitCode === 0 ? null : notAllowed
  await openBrowser(page)
  up.catch(() => undefined) // it waits for the sign-in in the browser; the status of Tailscale says how that ends
  return 'The sign-in is open in the browser. HQ goes on by itself when it is done.'
}

const statusWithPage = z.looseObject({ AuthURL: z.url({ protocol: /^https$/ }) })

/** @returns null when there is none until `signal` */
async function signInPage(signal: AbortSignal): Promise<string | null> {
  while (!signal.aborted) {
    const tailnet = await readTailnet()
    const found = 'status' in tailnet ? statusWithPage.safeParse(tailnet.status) : null
    if (found?.success) return found.data.AuthURL
    await delay(400, undefined, { signal }).catch(() => undefined) // aborted: the loop ends
  }
  return null
}

async function findPath(poller: HostPoller): Promise<string | null> {
  const address = poller.view().tailnet?.address ?? null
  if (address === null) return null
  const argv = ['ping', '--c=6', '--timeout=1s', '--until-direct=true', address]
  const result = await runTailscale(argv, undefined, pathMs)
  return result?.exitCode === 0 ? 'There is a direct path now.' : 'No direct path was found.'
}

/** The secret of this `hq serve`: how a tab gets it, keeps it, and gives it to another tab of the same window. */
const key = 'openclaw-hq-secret'
const form = /^[0-9a-f]{16,128}$/
/** Longest wait for another tab, in milliseconds; only a tab that would show nothing waits. */
const askMs = 1_500

/**
 * Taken out of the address once, so that it is neither in the history nor in a copied link, and kept for this tab so
 * that a reload works. A tab that was opened from a link of HQ has neither; it asks the other tabs of this origin.
 */
export async function takeSecret(): Promise<string | null> {
  const [, inAddress] = /^#secret=(.*)$/.exec(location.hash) ?? []
  if (inAddress !== undefined && form.test(inAddress)) {
    history.replaceState(null, '', `${location.pathname}#/`)
    return keep(inAddress)
  }
  const kept = sessionStorage.getItem(key)
  if (kept !== null) return keep(kept)
  const given = await askOtherTabs()
  return given === null ? null : keep(given)
}

/** Keeps the secret for this tab, and answers other tabs that ask for it. */
function keep(secret: string): string {
  sessionStorage.setItem(key, secret)
  const channel = new BroadcastChannel(key)
  channel.addEventListener('message', ({ data }) => {
    if (data === 'ask') send(channel, secret)
  })
  return secret
}

function send(channel: BroadcastChannel, text: string): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel reaches its own origin only
  channel.postMessage(text)
}

/** Only pages of the same origin hear it. An answer that comes too late loads the page again, with the secret. */
async function askOtherTabs(): Promise<string | null> {
  const channel = new BroadcastChannel(key)
  let late = false
  const answer = new Promise<string | null>((resolve) => {
    const timer = setTimeout(() => {
      late = true
      resolve(null)
    }, askMs)
    channel.addEventListener('message', ({ data }) => {
      if (typeof data !== 'string' || !form.test(data)) return
      clearTimeout(timer)
      channel.close()
      if (late) {
        sessionStorage.setItem(key, data)
        location.reload()
      } else resolve(data)
    })
  })
  send(channel, 'ask')
  return await answer
}

/** A tab that gets the address of a newer start changes only its fragment. It is reloaded, with the new key. */
export function startOverOnNewSecret(): void {
  addEventListener('hashchange', () => {
    if (location.hash.startsWith('#secret=')) location.reload()
  })
}

const key = 'openclaw-hq-secret'

/**
 * The secret of this `hq serve`: taken out of the address once, so that it is neither in the history nor in a copied
 * link, and kept for this tab so that a reload works.
 */
export function takeSecret(): string | null {
  const match = /^#secret=([0-9a-f]{16,128})$/.exec(location.hash)
  if (match?.[1] !== undefined) {
    sessionStorage.setItem(key, match[1])
    history.replaceState(null, '', `${location.pathname}#/`)
    return match[1]
  }
  return sessionStorage.getItem(key)
}

/** A tab that gets the address of a newer start changes only its fragment. It is reloaded, with the new key. */
export function startOverOnNewSecret(): void {
  addEventListener('hashchange', () => {
    if (location.hash.startsWith('#secret=')) location.reload()
  })
}

/** Addresses of HQ: path and query both stand after the `#`, because one of its three origins is a file. */
import { useSyncExternalStore } from 'react'
import type { BaseLocationHook, BaseSearchHook } from 'wouter'

const moved = 'openclaw-moved'

function subscribe(listener: () => void): () => void {
  for (const event of ['hashchange', 'popstate', moved]) addEventListener(event, listener)
  return () => {
    for (const event of ['hashchange', 'popstate', moved]) removeEventListener(event, listener)
  }
}

/** The part after the `#`, split at its first `?`. */
function addressNow(): { path: string; search: string } {
  const whole = location.hash.replace(/^#?\/?/, '/')
  const at = whole.indexOf('?')
  return at < 0
    ? { path: whole, search: '' }
    : { path: whole.slice(0, at), search: whole.slice(at + 1) }
}

const pathNow = (): string => addressNow().path
const searchNow = (): string => addressNow().search

/** @param to path, with its query when it has one */
function navigate(to: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  history[replace ? 'replaceState' : 'pushState'](null, '', `#${to}`)
  dispatchEvent(new Event(moved))
}

const useHashPath: BaseLocationHook = () => [useSyncExternalStore(subscribe, pathNow), navigate]
const useHashSearch: BaseSearchHook = () => useSyncExternalStore(subscribe, searchNow)

/** Properties of the router. */
export const hashRouting = {
  hook: useHashPath,
  searchHook: useHashSearch,
  hrefs: (to: string): string => `#${to}`,
}

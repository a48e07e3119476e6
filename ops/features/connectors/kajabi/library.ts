import { longest, type LibraryItem, type LibraryPage, type LibrarySnapshot } from '#shared/phase0'
import { Problem } from '#shared/errors'
import type { CheckRequest } from '../common/connector.ts'
import { readLibraryPage } from './library-page.ts'
import { getSignedIn, readLogin } from './signed-in.ts'

/** Takes what was found of the library, as it is found: each page, then its items. It may make the reader wait. */
export interface LibraryOut {
  readonly page: (page: LibraryPage) => Promise<void>
  readonly item: (item: LibraryItem) => Promise<void>
}

/**
 * Reads the configured pages of the library, and the further pages that their lists name as next, one after the other.
 * @returns the limit of host.json that ended it early; null: none did
 * @throws {Problem} the classes of `readLogin` and `getSignedIn`; `connector_expired` also when a later page shows a
 *   login form
 */
export async function readLibrary(
  request: CheckRequest<'kajabi'>,
  out: LibraryOut,
): Promise<LibrarySnapshot['limit']> {
  const { settings, signal } = request
  const cookies = readLogin(request)
  const room = { pages: settings.library_max_pages, items: settings.library_max_items }
  const requested = new Set<string>()
  for (const path of settings.library_paths) {
    let page: URL | null = new URL(path, settings.base_url)
    while (page !== null && !requested.has(pathOf(page))) {
      if (room.pages === 0) return 'pages'
      room.pages -= 1
      requested.add(pathOf(page))
      const found = await getSignedIn(page, {
        settings,
        cookies,
        signal,
        within: settings.check_path,
      })
      requireSamePage(found.url, page)
      const { title, items, next } = readLibraryPage(
        found.html,
        found.url,
        settings.library_item_paths,
      )
      await out.page({ path: pathOf(page).slice(0, longest.href), title })
      for (const item of items.slice(0, room.items)) await out.item(item)
      if (items.length > room.items) return 'items'
      room.items -= items.length
      page = next
    }
  }
  return null
}

const pathOf = ({ pathname, search }: URL): string => `${pathname}${search}`

/** A site's own path may come before, as in `/admin/sites/1/products`. @throws {Problem} for another page */
function requireSamePage(found: URL, page: URL): void {
  const nameOf = ({ pathname }: URL): string => pathname.split('/').findLast(Boolean) ?? ''
  if (nameOf(found) !== nameOf(page))
    throw new Problem(
      'connector_answer_unexpected',
      'Kajabi redirected the request for a page of the library to another page. Nothing of that page was taken.',
    )
}

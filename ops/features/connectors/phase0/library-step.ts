import { join } from 'node:path'
import { Problem } from '#shared/errors'
import { libraryFile, type LibraryItem, type LibrarySnapshot } from '#shared/phase0'
import type { Phase0Step } from '#shared/steps'
import type { Step } from '#ops/core/pipeline/pipeline'
import { writeDocument } from '#ops/base/redact/write-document'
import { collectAsSecretOwner } from './collect-as-owner.ts'
import { ownerOf, type Phase0Facts, type Phase0Host } from './facts.ts'

/** Most bytes of titles and addresses that are held until the snapshot is written. */
const maxBytes = 14 * 1024 * 1024

/** A page with the items that were read so far. */
interface Page {
  readonly path: string
  readonly title: string
  readonly items: LibraryItem[]
}

/** The snapshot of the Kajabi library. What was read before a failure is kept, and says that it is not complete. */
export const libraryStep = ({ runId }: Phase0Host): Step<Phase0Facts, Phase0Step> => ({
  name: 'library',
  timeLimitSeconds: 360,
  run: async (facts, { signal, dir, log, note }) => {
    const owner = ownerOf(facts)
    const { kajabi } = owner.settings
    const pages: Page[] = []
    let items = 0
    let bytes = 0
    let end: { limit: LibrarySnapshot['limit'] } | null = null
    try {
      const limit = await collectAsSecretOwner('library', {
        owner,
        seconds: kajabi.library_seconds,
        signal,
        known: [],
        take: (line) => {
          bytes += Buffer.byteLength(JSON.stringify(line))
          if (bytes > maxBytes) return false
          if (line.type === 'page') {
            pages.push({ ...line.page, items: [] })
            if (pages.length > 1) log(`${pages.length - 1} pages, ${items} items`)
          } else if (line.type === 'item') {
            items += 1
            pages.at(-1)?.items.push(line.item)
          }
          return true
        },
      })
      end = { limit: limit === null || limit === 'pages' ? limit : 'items' }
    } finally {
      const summary = {
        pages: pages.length,
        items,
        complete: end !== null && end.limit === null,
        limit: end?.limit ?? null,
      }
      if (pages.length > 0 || end !== null) {
        note({ library: summary })
        writeDocument(join(dir, libraryFile), {
          type: 'openclaw.kajabi_library_snapshot',
          schema_version: 1,
          run_id: runId,
          taken_at: new Date().toISOString(),
          host: new URL(kajabi.base_url).host,
          complete: summary.complete,
          limit: summary.limit,
          items,
          pages,
        } satisfies LibrarySnapshot)
      }
    }
    if (items === 0)
      throw new Problem(
        'library_empty',
        `Kajabi sent ${pages.length} pages of the library, and none has a link to an item. The snapshot says so.`,
      )
    return { detail: `${pages.length} pages, ${items} items${ended(end.limit)}.` }
  },
})

const ended = (limit: LibrarySnapshot['limit']): string =>
  limit === null ? '' : `; stopped at the limit of ${limit} in host.json`

// Which bundles of a chain HQ has seen, page by page.
import { hasCode } from '#shared/system-error'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { witnessPage, type WitnessedLink } from '#shared/proof'
import { readJson, writeJson } from '#ops/base/files/json-file'
import { witnessFolder, witnessName } from '#ops/base/paths/proof-paths'

/** Bundles of one file. */
export const seenPageSize = 500

/** A chain that HQ watches. @param home `hqHome()` */
export interface WatchedChain {
  readonly home: string
  readonly host: string
  readonly chain: string
}

const pageOf = (counter: number): number => Math.floor((counter - 1) / seenPageSize)
const folderOf = (home: string, host: string): string =>
  join(witnessFolder(home), 'seen', witnessName(host))
const fileOf = ({ home, host, chain }: WatchedChain, page: number): string =>
  join(folderOf(home, host), `${chain}-${page}.json`)

/** @throws {Problem} `proof_chain_unreadable` */
const readPage = (watched: WatchedChain, page: number): WitnessedLink[] =>
  readJson(fileOf(watched, page), witnessPage, 'proof_chain_unreadable')?.links ?? []

function writePage(watched: WatchedChain, page: number, links: readonly WitnessedLink[]): void {
  const { host, chain } = watched
  writeJson(fileOf(watched, page), { schema_version: 1, host, chain, links }, { mode: 0o600 })
}

/**
 * What was witnessed of a chain, oldest first.
 * @param range numbers of the first and the last bundle
 * @throws {Problem} `proof_chain_unreadable`
 */
export function readSeen(
  watched: WatchedChain,
  { from, to }: { from: number; to: number },
): WitnessedLink[] {
  const links: WitnessedLink[] = []
  for (let page = pageOf(Math.max(1, from)); page <= pageOf(Math.max(1, to)); page += 1)
    links.push(...readPage(watched, page))
  return links.filter(({ counter }) => counter >= from && counter <= to)
}

/** Keeps what was just checked. A bundle that was seen before keeps the date of that. */
export function keepSeen(watched: WatchedChain, links: readonly WitnessedLink[]): void {
  for (const [page, added] of Map.groupBy(links, ({ counter }) => pageOf(counter))) {
    const before = readPage(watched, page)
    const all = new Map(before.map((link) => [link.counter, link]))
    for (const link of added) {
      const known = all.get(link.counter)
      all.set(
        link.counter,
        known?.manifest_sha256 === link.manifest_sha256
          ? { ...link, seen_at: known.seen_at }
          : link,
      )
    }
    const next = [...all.values()].toSorted((a, b) => a.counter - b.counter)
    if (JSON.stringify(next) !== JSON.stringify(before)) writePage(watched, page, next)
  }
}

/** Forgets single bundles, after a person has accepted that they are gone. */
export function dropSeen(watched: WatchedChain, counters: ReadonlySet<number>): void {
  for (const page of new Set([...counters].map(pageOf))) {
    const links = readPage(watched, page).filter(({ counter }) => !counters.has(counter))
    writePage(watched, page, links)
  }
}

/** Forgets every bundle of a chain, after a person has accepted another history of it. */
export function forgetSeen({ home, host, chain }: WatchedChain): void {
  for (const name of pagesOf(home, host))
    if (name.startsWith(`${chain}-`)) rmSync(join(folderOf(home, host), name), { force: true })
}

/** Keeps what was seen of a host under another name as well. @throws {Problem} `proof_chain_unreadable` */
export function copySeen(home: string, from: string, to: string): void {
  for (const name of pagesOf(home, from)) {
    const path = join(folderOf(home, from), name)
    const page = readJson(path, witnessPage, 'proof_chain_unreadable')
    if (page !== undefined)
      writeJson(join(folderOf(home, to), name), { ...page, host: to }, { mode: 0o600 })
  }
}

/** Forgets every chain of a name. */
export const forgetAllSeen = (home: string, host: string): void =>
  rmSync(folderOf(home, host), { recursive: true, force: true })

/** File names; none when nothing was seen yet. */
function pagesOf(home: string, host: string): string[] {
  try {
    return readdirSync(folderOf(home, host)).filter((name) => name.endsWith('.json'))
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return []
    throw error
  }
}

import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { witnessPage, type WitnessedLink } from '#shared/proof'
import { readJson, writeJson } from '#ops/base/files/json-file'
import { witnessFolder, witnessName } from '#ops/base/paths/proof-paths'

/** Bundles of one file. */
export const seenPageSize = 500

const pageOf = (counter: number): number => Math.floor((counter - 1) / seenPageSize)
const folderOf = (home: string, host: string): string =>
  join(witnessFolder(home), 'seen', witnessName(host))
const fileOf = (home: string, host: string, chain: string, page: number): string =>
  join(folderOf(home, host), `${chain}-${page}.json`)

/** @throws {Problem} `proof_chain_unreadable` */
const readPage = (home: string, host: string, chain: string, page: number): WitnessedLink[] =>
  readJson(fileOf(home, host, chain, page), witnessPage, 'proof_chain_unreadable')?.links ?? []

/** What was witnessed of a chain with numbers `from` to `to`, oldest first. @throws {Problem} `proof_chain_unreadable` */
export function readSeen(
  home: string,
  host: string,
  chain: string,
  from: number,
  to: number,
): WitnessedLink[] {
  const links: WitnessedLink[] = []
  for (let page = pageOf(Math.max(1, from)); page <= pageOf(Math.max(1, to)); page += 1)
    links.push(...readPage(home, host, chain, page))
  return links.filter(({ counter }) => counter >= from && counter <= to)
}

/** Keeps what was just checked. A bundle that was seen before keeps the date of that. */
export function keepSeen(
  home: string,
  host: string,
  chain: string,
  links: readonly WitnessedLink[],
): void {
  for (const [page, added] of Map.groupBy(links, ({ counter }) => pageOf(counter))) {
    const before = readPage(home, host, chain, page)
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
    if (JSON.stringify(next) !== JSON.stringify(before))
      writeJson(
        fileOf(home, host, chain, page),
        { schema_version: 1, host, chain, links: next },
        { mode: 0o600 },
      )
  }
}

/** Forgets single bundles, after a person has accepted that they are gone. */
export function dropSeen(
  home: string,
  host: string,
  chain: string,
  counters: ReadonlySet<number>,
): void {
  for (const page of new Set([...counters].map(pageOf))) {
    const links = readPage(home, host, chain, page).filter(({ counter }) => !counters.has(counter))
    writeJson(
      fileOf(home, host, chain, page),
      { schema_version: 1, host, chain, links },
      { mode: 0o600 },
    )
  }
}

/** Forgets every bundle of a chain, after a person has accepted another history of it. */
export function forgetSeen(home: string, host: string, chain: string): void {
  let names: string[]
  try {
    names = readdirSync(folderOf(home, host))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return // nothing was seen yet
    throw error
  }
  for (const name of names)
    if (name.startsWith(`${chain}-`)) rmSync(join(folderOf(home, host), name), { force: true })
}

import { createHash } from 'node:crypto'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { witness as witnessSchema, type ChainReport, type ProofProblem, type ProofProblemCode, type Witness } from '#shared/proof'
import { readJson, writeJson } from '../json-file.ts'
import type { TrustedKeys } from '../keys/trusted-keys.ts'
import { textDigest } from './manifest-text.ts'
import { witnessFolder } from './places.ts'
import { noteInto, parseManifest } from './read-manifest.ts'

export interface Observation {
  /** What is remembered now. Not moved when there is an alarm. */
  readonly witness: Witness | null
  /** Empty when the chain only grew. */
  readonly alarms: readonly ProofProblem[]
  /** True when the report ends before the host's newest bundle: ask again from `witness.counter`. */
  readonly more: boolean
}

/** Host names are shown to people and come from people: a safe file name, one per host, whatever is in the name. */
const fileOf = (home: string, host: string): string => {
  const readable = host.replace(/[^A-Za-z0-9-]/g, '_').slice(0, 40)
  return join(witnessFolder(home), `${readable === host ? host : `${readable}-${createHash('sha256').update(host).digest('hex').slice(0, 8)}`}.json`)
}

/** @returns null when HQ has not seen this host's chain yet @throws {Problem} `proof_chain_unreadable` */
export const readWitness = (home: string, host: string): Witness | null => readJson(fileOf(home, host), witnessSchema, 'proof_chain_unreadable') ?? null

/** Everything that HQ remembers. */
export function allWitnesses(home: string): Witness[] {
  let names: string[]
  try {
    names = readdirSync(witnessFolder(home))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
  return names.filter((name) => name.endsWith('.json') && !name.startsWith('.'))
    .flatMap((name) => readJson(join(witnessFolder(home), name), witnessSchema, 'proof_chain_unreadable') ?? [])
}

/** Forgets a host, after a person has looked at an alarm or re-enrolled it. */
export const forgetWitness = (home: string, host: string): void => rmSync(fileOf(home, host), { force: true })

/**
 * Compares what a host says of its chain with what was seen before, and remembers the newer state: only as far as signed
 * manifests lead there, link by link. A rollback, a replaced bundle or another chain is an alarm, and stays one.
 *
 * @param report `null`: the host says that it has sealed nothing
 * @throws {Problem} `proof_chain_unreadable` when the witness file itself is damaged
 */
export function observe({ home, host, report, keys, now = new Date() }: { home: string; host: string; report: ChainReport | null; keys: TrustedKeys; now?: Date }): Observation {
  const seen = readWitness(home, host)
  const alarms: ProofProblem[] = []
  const alarm = (code: ProofProblemCode, detail: string): Observation => {
    alarms.push({ code, run_id: null, file: null, detail })
    return { witness: seen, alarms, more: false }
  }
  if (report === null) return seen === null ? { witness: null, alarms, more: false } : alarm('chain_truncated', `${host} had ${seen.counter} sealed bundles and now says it has none`)
  if (seen !== null && report.chain !== seen.chain) return alarm('chain_replaced', `${host} had chain ${seen.chain} and now shows chain ${report.chain}`)
  if (seen !== null && report.counter < seen.counter) return alarm('chain_truncated', `${host} had ${seen.counter} sealed bundles and now shows ${report.counter}`)
  if (seen !== null && report.counter === seen.counter) {
    return report.head === seen.head ? { witness: seen, alarms, more: false } : alarm('head_replaced', `number ${seen.counter} of ${host} is not the one seen on ${seen.seen_at}`)
  }

  let reached = seen
  for (const text of report.manifests) {
    const note = noteInto(alarms, null)
    const manifest = parseManifest(text, keys, note)
    if (manifest === null || alarms.length > 0) return { witness: seen, alarms, more: false }
    if (manifest.chain !== report.chain) return alarm('chain_replaced', `the manifest of ${manifest.run_id} is of chain ${manifest.chain}`)
    if (reached !== null && manifest.counter <= reached.counter) continue // known already
    if (reached !== null && manifest.counter !== reached.counter + 1) return alarm('chain_gap', `${host} gives number ${manifest.counter} after ${reached.counter}`)
    if (reached !== null && manifest.previous !== reached.head) return alarm('head_replaced', `number ${reached.counter} of ${host} is not the one seen before: ${manifest.run_id} follows another`)
    if (reached !== null && manifest.signature.key_id !== reached.key_id) return alarm('key_changed', `${manifest.run_id} of ${host} is signed with another key than those before`)
    reached = { schema_version: 1, host, chain: manifest.chain, key_id: manifest.signature.key_id, counter: manifest.counter, head: textDigest(text), seen_at: now.toISOString() }
  }
  if (reached === null || reached.counter === seen?.counter) return alarm('chain_gap', `${host} says its chain ends at ${report.counter} and shows no manifest that leads there`)
  if (reached.counter === report.counter && reached.head !== report.head) return alarm('head_replaced', `${host} names another digest for number ${report.counter} than its manifest has`)
  if (reached.counter > report.counter) return alarm('chain_truncated', `${host} says its chain ends at ${report.counter} and shows number ${reached.counter}`)
  writeJson(fileOf(home, host), witnessSchema.parse(reached), { mode: 0o600 })
  return { witness: reached, alarms, more: reached.counter < report.counter }
}

// The witness: how far HQ has seen the chain of a host, so that the chain can only grow.
import { hasCode } from '#shared/system-error'
import { sha256Of } from '#ops/base/sha256'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  witness as witnessSchema,
  type ChainLink,
  type ChainReport,
  type ProofProblem,
  type ProofProblemCode,
  type Witness,
  type WitnessedLink,
} from '#shared/proof'
import { readJson, writeJson } from '#ops/base/files/json-file'
import type { TrustedKeys } from '#ops/core/trust/trusted-keys'
import { witnessFolder, witnessName } from '#ops/base/paths/proof-paths'
import { noteInto, parseManifest, parseTombstone } from './read-manifest.ts'
import { keepSeen, readSeen } from './witness-seen.ts'

/** A problem, and the number in the chain of the bundle it is about. */
export interface Alarm extends ProofProblem {
  readonly counter: number | null
}

export interface Observation {
  /** What is remembered now. Not moved when there is an alarm. */
  readonly witness: Witness | null
  /** Empty when the chain only grew. */
  readonly alarms: readonly Alarm[]
  /** True when the report ends before the host's newest bundle: request the next from `witness.counter`. */
  readonly more: boolean
}

export interface Question {
  readonly home: string
  readonly host: string
  /** Only those that may sign this chain. */ readonly keys: TrustedKeys
  readonly now?: Date
}

const fileOf = (home: string, host: string): string =>
  join(witnessFolder(home), `${witnessName(host)}.json`)

/** @returns null when HQ has not seen this host's chain yet @throws {Problem} `proof_chain_unreadable` */
export const readWitness = (home: string, host: string): Witness | null =>
  readJson(fileOf(home, host), witnessSchema, 'proof_chain_unreadable') ?? null

/** @throws the system's error */
export const writeWitness = (home: string, witness: Witness): void =>
  writeJson(fileOf(home, witness.host), witnessSchema.parse(witness), { mode: 0o600 })

/** Everything that HQ remembers. */
export function allWitnesses(home: string): Witness[] {
  let names: string[]
  try {
    names = readdirSync(witnessFolder(home))
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return []
    throw error
  }
  return names
    .filter((name) => name.endsWith('.json') && !name.startsWith('.'))
    .flatMap(
      (name) =>
        readJson(join(witnessFolder(home), name), witnessSchema, 'proof_chain_unreadable') ?? [],
    )
}

/** Forgets where a host's chain stood, after a person has acknowledged an alarm. */
export const forgetWitness = (home: string, host: string): void =>
  rmSync(fileOf(home, host), { force: true })

const alarmOf = (
  code: ProofProblemCode,
  detail: string,
  link: Pick<ChainLink, 'run_id' | 'counter'> | null = null,
): Alarm => ({
  code,
  run_id: link?.run_id ?? null,
  file: null,
  detail,
  counter: link?.counter ?? null,
})

interface CheckedLink {
  /** How it is remembered. */ readonly seen: WitnessedLink
  /** Digest of the manifest before it. */ readonly previous: string | null
  readonly keyId: string
}

/** Is the link what it says, and signed? @returns how it is remembered, or what is wrong with it */
function checkLink(
  link: ChainLink,
  chain: string,
  { keys, now = new Date() }: Question,
): CheckedLink | { alarms: Alarm[] } {
  const problems: ProofProblem[] = []
  const note = noteInto(problems, link.run_id)
  const manifest = parseManifest(link.manifest, keys, note)
  const tombstone =
    link.tombstone === null || manifest === null ? null : parseTombstone(link.tombstone, keys, note)
  const digest = sha256Of(link.manifest)
  if (manifest !== null) {
    const { counter, kind, run_id, signature } = manifest
    if (
      counter !== link.counter ||
      kind !== link.kind ||
      run_id !== link.run_id ||
      digest !== link.manifest_sha256
    )
      note(
        'run_mismatch',
        `number ${link.counter} (${link.kind} ${link.run_id}) is shown with the manifest of ${kind} ` +
          `${run_id}, number ${counter}`,
      )
    if (manifest.chain !== chain)
      note('chain_replaced', `its manifest is of chain ${manifest.chain}`)
    if (
      tombstone !== null &&
      (tombstone.manifest_sha256 !== digest || tombstone.signature.key_id !== signature.key_id)
    )
      note(
        'tombstone_invalid',
        'its tombstone belongs to another bundle or is signed with another key',
      )
  }
  if (manifest === null || problems.length > 0)
    return { alarms: problems.map((problem) => ({ ...problem, counter: link.counter })) }
  const { counter, kind, run_id } = manifest
  return {
    seen: {
      counter,
      kind,
      run_id,
      manifest_sha256: digest,
      pruned: tombstone?.files.length ?? 0,
      seen_at: now.toISOString(),
    },
    previous: manifest.previous,
    keyId: manifest.signature.key_id,
  }
}

/**
 * Compares what a host reports of its chain with what was seen before, and stores the newer state: only as far as
 * signed manifests lead there, link by link from the first. A rollback, a replaced bundle or another chain is an alarm,
 * and stays one.
 *
 * @param question `report`: requested from the number after `readWitness().counter`, or from 0; `null`: the host
 *   reports that it has sealed nothing
 * @throws {Problem} `proof_chain_unreadable` when the witness's own files are damaged
 */
export function observe(question: Question & { readonly report: ChainReport | null }): Observation {
  const { home, host, report } = question
  const seen = readWitness(home, host)
  const unchanged = { witness: seen, more: false }
  if (report === null)
    return {
      ...unchanged,
      alarms:
        seen === null
          ? []
          : [
              alarmOf(
                'chain_truncated',
                `${host} had ${seen.counter} sealed bundles and now says it has none`,
              ),
            ],
    }
  const other = seen === null ? null : compareHeads(seen, report)
  if (other !== null) return { ...unchanged, alarms: other }
  const followed = followLinks(seen, report, question)
  if ('alarms' in followed) return { ...unchanged, alarms: followed.alarms }
  const { reached, checked } = followed
  const wrong = whyNotReached(reached, seen, { host, report })
  if (wrong !== null || reached === null)
    return { ...unchanged, alarms: wrong === null ? [] : [wrong] }
  // First what was seen, then how far: a kill in between reads the same links once more.
  keepSeen({ home, host, chain: report.chain }, checked)
  writeWitness(home, reached)
  return { witness: reached, alarms: [], more: reached.counter < report.counter }
}

/** @returns null when the report goes beyond what was seen; no alarms when it ends with just that */
function compareHeads(seen: Witness, report: ChainReport): Alarm[] | null {
  const { host } = seen
  if (report.chain !== seen.chain)
    return [
      alarmOf(
        'chain_replaced',
        `${host} had chain ${seen.chain} and now shows chain ${report.chain}`,
      ),
    ]
  if (report.counter < seen.counter)
    return [
      alarmOf(
        'chain_truncated',
        `${host} had ${seen.counter} sealed bundles and now shows ${report.counter}`,
      ),
    ]
  if (report.counter > seen.counter) return null
  return report.head === seen.head
    ? []
    : [
        alarmOf(
          'head_replaced',
          `number ${seen.counter} of ${host} is not the one seen on ${seen.seen_at}`,
        ),
      ]
}

/** Checks link by link from what was seen. @returns how far the links lead, or what is wrong with the first bad one */
function followLinks(
  seen: Witness | null,
  report: ChainReport,
  question: Question,
):
  | { readonly reached: Witness | null; readonly checked: readonly WitnessedLink[] }
  | { readonly alarms: readonly Alarm[] } {
  const { host } = question
  let reached = seen
  const checked: WitnessedLink[] = []
  for (const link of report.links) {
    if (reached !== null && link.counter <= reached.counter) continue // known already
    const found = checkLink(link, report.chain, question)
    if ('alarms' in found) return found
    const wrong = whyNoSuccessor(found, reached, host)
    if (wrong !== null) return { alarms: [alarmOf(wrong.code, wrong.detail, link)] }
    const { seen: now, keyId } = found
    reached = {
      schema_version: 1,
      host,
      chain: report.chain,
      key_id: keyId,
      counter: now.counter,
      head: now.manifest_sha256,
      seen_at: now.seen_at,
    }
    checked.push(now)
  }
  return { reached, checked }
}

/** @returns null when the link follows `before` directly */
function whyNoSuccessor(
  { seen: now, previous, keyId }: CheckedLink,
  before: Witness | null,
  host: string,
): { code: ProofProblemCode; detail: string } | null {
  const last = before?.counter ?? 0
  if (now.counter !== last + 1)
    return {
      code: 'chain_gap',
      detail:
        before === null
          ? `${host} begins with number ${now.counter}`
          : `${host} gives number ${now.counter} after ${last}`,
    }
  if (previous !== (before?.head ?? null))
    return {
      code: 'head_replaced',
      detail:
        before === null
          ? `number 1 of ${host} names an earlier one`
          : `number ${last} of ${host} is not the one seen before: ${now.run_id} follows another`,
    }
  if (before !== null && keyId !== before.key_id)
    return {
      code: 'key_changed',
      detail: `${now.run_id} of ${host} is signed with another key than those before`,
    }
  return null
}

/** @returns null when the links lead as far as the report says */
function whyNotReached(
  reached: Witness | null,
  seen: Witness | null,
  { host, report }: { host: string; report: ChainReport },
): Alarm | null {
  if (reached === null || reached.counter === seen?.counter)
    return alarmOf(
      'chain_gap',
      `${host} says its chain ends at ${report.counter} and shows no manifest that leads there`,
    )
  if (reached.counter === report.counter && reached.head !== report.head)
    return alarmOf(
      'head_replaced',
      `${host} names another digest for number ${report.counter} than its manifest has`,
    )
  if (reached.counter > report.counter)
    return alarmOf(
      'chain_truncated',
      `${host} says its chain ends at ${report.counter} and shows number ${reached.counter}`,
    )
  return reached.counter < Math.min(report.until, report.counter)
    ? alarmOf('chain_gap', `number ${reached.counter + 1} of ${host} is missing`)
    : null
}

export interface Again {
  readonly alarms: readonly Alarm[]
  /** Number to request from next; null when all was checked, or the host does not show it. */
  readonly next: number | null
}

/**
 * Checks bundles that were seen before again: is each still there and the same? Pruning with a tombstone, does
 * not raise an alarm. A host hides something when it answers with nothing, with another chain, or without getting
 * further: that raises an alarm too.
 *
 * @param after the number that the report was requested from
 * @throws {Problem} `proof_chain_unreadable` when the witness's own files are damaged
 */
export function checkSeenAgain(
  question: Question & { readonly report: ChainReport | null; readonly after: number },
): Again {
  const { home, host, report, after } = question
  const witness = readWitness(home, host)
  if (witness === null || after >= witness.counter) return { alarms: [], next: null }
  const stop = (code: ProofProblemCode, detail: string): Again => ({
    alarms: [alarmOf(code, detail)],
    next: null,
  })
  if (report === null)
    return stop(
      'chain_truncated',
      `${host} had ${witness.counter} sealed bundles and now says it has none`,
    )
  if (report.chain !== witness.chain)
    return stop(
      'chain_replaced',
      `${host} had chain ${witness.chain} and now shows chain ${report.chain}`,
    )
  if (report.until <= after)
    return stop(
      'chain_gap',
      `${host} shows nothing after number ${after}, although a later bundle was seen before`,
    )
  const links = new Map(report.links.map((link) => [link.counter, link]))
  const alarms: Alarm[] = []
  const same: WitnessedLink[] = []
  const watched = { home, host, chain: report.chain }
  const to = Math.min(report.until, witness.counter)
  for (const before of readSeen(watched, { from: after + 1, to })) {
    const link = links.get(before.counter)
    if (link === undefined) {
      alarms.push(
        alarmOf(
          'chain_gap',
          `number ${before.counter} of ${host}, ${before.kind} ${before.run_id}, was seen on ` +
            `${before.seen_at} and is missing now`,
          before,
        ),
      )
      continue
    }
    const found = checkLink(link, report.chain, question)
    if ('alarms' in found) alarms.push(...found.alarms)
    else if (found.seen.manifest_sha256 !== before.manifest_sha256)
      alarms.push(
        alarmOf(
          'head_replaced',
          `number ${before.counter} of ${host} is not the one seen on ${before.seen_at}`,
          before,
        ),
      )
    else same.push(found.seen)
  }
  keepSeen(watched, same)
  return { alarms, next: report.until >= witness.counter ? null : report.until }
}

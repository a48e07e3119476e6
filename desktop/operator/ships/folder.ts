import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ShipDetail } from '#shared/bridge'
import { bundlePath } from '#shared/bundle'
import { Problem } from '#shared/errors'
import { runIdPattern } from '#shared/ids'
import { shipResult, type ShipResult, type StepResult } from '#shared/result'
import { verdictDocument } from '#shared/signature'
import { reviewAnswer } from '#shared/verdict'
import { readJson } from '#ops/base/files/json-file'
import { checkVerdictSignature } from '#ops/core/trust/sign-verdict'
import type { TrustedKeys } from '#ops/core/trust/trusted-keys'
import { runFolder } from '#ops/base/paths/paths'
import { resultFieldsOf } from '#ops/core/pipeline/documents'
import { followRunLog } from '#ops/core/pipeline/run-log'
import { insideFolder, readTextHead } from '../base/text-file.ts'

export const shipsFolder = (repository: string): string => join(repository, 'artifacts', 'ship')
export const shipFolder = (repository: string, id: string): string =>
  runFolder(shipsFolder(repository), id)
export const shipEvents = (repository: string, id: string): string =>
  join(shipFolder(repository, id), 'events.ndjson')
export const hasResult = (repository: string, id: string): boolean =>
  existsSync(join(shipFolder(repository, id), 'ship_result.json'))

/** Run ids with a folder, newest first. */
export function shipIds(repository: string): string[] {
  const folder = shipsFolder(repository)
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && runIdPattern.test(entry.name))
    .map(({ name }) => name)
    .toSorted()
    .toReversed()
}

/** @returns null when the ship has not written one @throws {Problem} `action_no_result` when it cannot be read, or is another run's */
export function readShipResult(repository: string, id: string): ShipResult | null {
  const result =
    readJson(
      join(shipFolder(repository, id), 'ship_result.json'),
      shipResult,
      'action_no_result',
    ) ?? null
  if (result && result.run_id !== id)
    throw new Problem(
      'action_no_result',
      `The folder of ${id} holds the result of ${result.run_id}.`,
    )
  return result
}

/** Result of one attempt of a ship with repairs; null when it is not there or cannot be read: then nothing is known of it. */
export function readAttempt(repository: string, id: string, number: number): ShipResult | null {
  try {
    return (
      readJson(
        join(shipFolder(repository, id), 'attempts', String(number), 'ship_result.json'),
        shipResult,
        'action_no_result',
      ) ?? null
    )
  } catch (error) {
    if (error instanceof Problem) return null
    throw error
  }
}

/** Where the review of a ship lies: in the proof's own folder, while its attempts go on in the newest of them that has one. */
function reviewFolder(repository: string, id: string): string {
  const folder = shipFolder(repository, id)
  const attempts = join(folder, 'attempts')
  if (hasResult(repository, id) || !existsSync(attempts)) return folder
  const numbers = readdirSync(attempts)
    .map(Number)
    .filter(Number.isInteger)
    .toSorted((a, b) => b - a)
  return (
    numbers
      .map((number) => join(attempts, String(number)))
      .find((each) => existsSync(join(each, 'diff.patch'))) ?? folder
  )
}

/**
 * What can be said of a ship whose process is gone and that left no readable result, from its events.
 * @param errorClass `interrupted`, or `action_no_result` when there is a result that cannot be read
 */
export async function interruptedResult(
  repository: string,
  id: string,
  errorClass: 'interrupted' | 'action_no_result',
  detail: string,
): Promise<ShipResult> {
  const steps = new Map<string, StepResult>()
  let started_at: string | null = null
  let last: string | null = null
  for await (const events of followRunLog(shipEvents(repository, id), {
    after: 0,
    ended: () => true,
    signal: new AbortController().signal,
  })) {
    for (const event of events) {
      last = event.time
      if (event.type === 'run_started') {
        started_at = event.time
        for (const name of event.steps)
          steps.set(name, {
            name,
            status: 'not_reached',
            started_at: null,
            duration_ms: null,
            log: null,
            detail: null,
          })
      } else if (event.type === 'step_started') {
        steps.set(event.step, {
          name: event.step,
          status: 'cancelled',
          started_at: event.time,
          duration_ms: null,
          log: `${event.step}.log`,
          detail,
        })
      } else if (event.type === 'step_finished') {
        const { status, duration_ms } = event
        steps.set(event.step, {
          name: event.step,
          status,
          started_at: steps.get(event.step)?.started_at ?? null,
          duration_ms,
          log: status === 'skipped' ? null : `${event.step}.log`,
          detail: event.detail,
        })
      }
    }
  }
  const list = [...steps.values()]
  const start = started_at ?? idTime(id)
  return {
    ...resultFieldsOf(
      { runId: id, startedAt: start, steps: list },
      {
        errorClass,
        step: list.find(({ status }) => status !== 'passed' && status !== 'skipped')?.name,
      },
    ),
    finished_at: last ?? start,
    since_sha: null,
    verdict_id: null,
    pushed_sha: null,
    remote_sha: null,
    scripted_review: false,
    tests: [],
  }
}

/** The instant in a run id. */
const idTime = (id: string): string =>
  id.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z.*$/, '$1-$2-$3T$4:$5:$6.000Z')

/** Most of the diff that is shown, in bytes. */
const maxDiffBytes = 400 * 1024
const maxFiles = 200

function listFiles(folder: string, prefix = ''): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true })
    .toSorted((a, b) => a.name.localeCompare(b.name))
    .flatMap((entry) => {
      const path = `${prefix}${entry.name}`
      if (!bundlePath.safeParse(path).success) return []
      return entry.isDirectory()
        ? listFiles(join(folder, entry.name), `${path}/`)
        : entry.isFile()
          ? [path]
          : []
    })
}

export const shipFiles = (repository: string, id: string): string[] =>
  listFiles(shipFolder(repository, id)).slice(0, maxFiles)

/** The review of a ship, as far as it came. @param keys of this laptop @throws {Problem} `review_invalid` when what it left cannot be read */
export function readReview(
  repository: string,
  id: string,
  keys: TrustedKeys,
): Omit<ShipDetail, 'summary'> {
  const folder = reviewFolder(repository, id)
  const approved = readJson(join(folder, 'verdict.json'), verdictDocument, 'review_invalid') ?? null
  // The answer of the reviewer may be off its schema: then there are no findings to show, and the result says so.
  const answer = reviewAnswer.safeParse(rawJson(join(folder, 'review_answer.json')))
  const diff = join(folder, 'diff.patch')
  return {
    verdict: approved,
    signature: approved === null ? null : checkVerdictSignature(approved, keys),
    findings: approved?.findings ?? (answer.success ? answer.data.findings : []),
    diff: existsSync(diff) ? readTextHead(diff, maxDiffBytes).text : null,
    files: approved?.files.map(({ path }) => path) ?? [],
  }
}

function rawJson(path: string): unknown {
  if (!existsSync(path)) return undefined
  const { text } = readTextHead(path)
  try {
    return JSON.parse(text)
  } catch {
    return undefined // not JSON: off its schema, as above
  }
}

/** @throws {Problem} `not_found` */
export const readShipFile = (
  repository: string,
  id: string,
  path: string,
): { text: string; truncated: boolean } =>
  readTextHead(insideFolder(shipFolder(repository, id), path))

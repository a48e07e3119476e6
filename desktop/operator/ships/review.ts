// The review of a ship, as far as it came.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ShipDetail } from '#shared/bridge'
import { verdictDocument } from '#shared/signature'
import { reviewAnswer } from '#shared/verdict'
import { readJson } from '#ops/base/files/json-file'
import { checkVerdictSignature } from '#ops/core/trust/sign-verdict'
import type { TrustedKeys } from '#ops/core/trust/trusted-keys'
import { readTextHead } from '../base/text-file.ts'
import { hasResult, shipFolder } from './folder.ts'

/** Most of the diff that is shown, in bytes. */
const maxDiffBytes = 400 * 1024

/** @param keys of this laptop @throws {Problem} `review_invalid` when the verdict cannot be read */
export function readReview(
  repository: string,
  id: string,
  keys: TrustedKeys,
): Omit<ShipDetail, 'summary'> {
  const folder = reviewFolder(repository, id)
  const approved = readJson(join(folder, 'verdict.json'), verdictDocument, 'review_invalid') ?? null
  // The reviewer's answer may not match its schema: then there are no findings to show, and the result says so.
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

/** The proof's own folder; while a ship with repairs runs, the newest attempt that has a review. */
function reviewFolder(repository: string, id: string): string {
  const folder = shipFolder(repository, id)
  const attempts = join(folder, 'attempts')
  if (hasResult(repository, id) || !existsSync(attempts)) return folder
  const newestFirst = readdirSync(attempts)
    .map(Number)
    .filter(Number.isInteger)
    .toSorted((a, b) => b - a)
    .map((number) => join(attempts, String(number)))
  return newestFirst.find((each) => existsSync(join(each, 'diff.patch'))) ?? folder
}

function rawJson(path: string): unknown {
  if (!existsSync(path)) return undefined
  const { text } = readTextHead(path)
  try {
    return JSON.parse(text)
  } catch {
    return undefined // not JSON, so it does not match its schema either
  }
}

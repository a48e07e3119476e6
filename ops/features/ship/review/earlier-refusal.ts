// Did a reviewer refuse this commit in an earlier ship?
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { z } from 'zod'
import { Problem } from '#shared/errors'
import { reviewAnswer } from '#shared/verdict'
import { readJson } from '#ops/base/files/json-file'
import { bindingsFile, packetsFolder, requestFiles } from './proof-files.ts'
import { reviewConditions } from './review-bindings.ts'
import { readResult } from '#ops/features/ship/state/proof-folder'

/**
 * Did a reviewer refuse this commit in any attempt of that ship? A ship that was repaired ends with the result of
 * another commit.
 * @param dir folder of the ship's proof
 */
export const wasRefused = (dir: string, head: string): boolean =>
  [dir, ...foldersIn(join(dir, 'attempts'))].some((folder) => refusedIn(folder, head))

/** Null also for a damaged file: it is evidence of nothing. */
function readOr<T extends z.ZodType>(path: string, schema: T): z.output<T> | null {
  try {
    return readJson(path, schema, 'internal_error') ?? null
  } catch (error) {
    if (error instanceof Problem) return null
    throw error
  }
}

const foldersIn = (dir: string): string[] =>
  existsSync(dir) ? readdirSync(dir).map((name) => join(dir, name)) : []

/**
 * The answers of a reviewer in the folder of one attempt. Of a change in parts it is each part's own answer: the merged
 * one lacks the parts that were not requested.
 */
function answersIn(folder: string): z.output<typeof reviewAnswer>[] {
  const parts = foldersIn(join(folder, packetsFolder))
  return (parts.length > 0 ? parts : [folder]).flatMap(
    (at) => readOr(join(at, requestFiles.review_answer), reviewAnswer) ?? [],
  )
}

function refusedIn(folder: string, head: string): boolean {
  const result = readResult(folder)
  if (result?.git_head === head && result.error_class === 'review_blocked') return true
  // A ship that was killed or cancelled has no such result, but its reviewer may have answered.
  if (readOr(join(folder, bindingsFile), reviewConditions)?.head_sha !== head) return false
  return answersIn(folder).some(
    ({ verdict, findings }) =>
      verdict !== 'APPROVED' || findings.some(({ severity }) => severity === 'blocking'),
  )
}

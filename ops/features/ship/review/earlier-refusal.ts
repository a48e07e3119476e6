import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { z } from 'zod'
import { Problem } from '#shared/errors'
import { reviewAnswer } from '#shared/verdict'
import { readJson } from '#ops/base/files/json-file'
import { bindingsFile, reviewConditions } from './review-bindings.ts'
import { packetsFolder, questionFiles } from './review-requests.ts'
import { readResult } from '#ops/features/ship/state/resolve-earlier-ship'

/** What is damaged says nothing. */
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

/** The answers of a reviewer in the folder of one attempt; of a change in parts each part's own, because the one made of them lacks those that were not asked. */
function answersIn(folder: string): z.output<typeof reviewAnswer>[] {
  const parts = foldersIn(join(folder, packetsFolder))
  return (parts.length > 0 ? parts : [folder]).flatMap(
    (at) => readOr(join(at, questionFiles.review_answer), reviewAnswer) ?? [],
  )
}

function refusedIn(folder: string, head: string): boolean {
  const result = readResult(folder)
  if (result?.git_head === head && result.error_class === 'review_blocked') return true
  // A ship that was killed or cancelled has no such result, and its reviewer may have answered all the same.
  if (readOr(join(folder, bindingsFile), reviewConditions)?.head_sha !== head) return false
  return answersIn(folder).some(
    ({ verdict, findings }) =>
      verdict !== 'APPROVED' || findings.some(({ severity }) => severity === 'blocking'),
  )
}

/**
 * Did a reviewer refuse this commit in that ship? In any attempt of it: one that was repaired ends with the result of
 * another commit.
 * @param dir folder of the ship's proof
 */
export const wasRefused = (dir: string, head: string): boolean =>
  [dir, ...foldersIn(join(dir, 'attempts'))].some((folder) => refusedIn(folder, head))

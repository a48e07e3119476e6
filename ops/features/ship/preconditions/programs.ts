// The program that reviews a change must not come from it.
import { tmpdir } from 'node:os'
import { join, relative, sep } from 'node:path'
import { Problem } from '#shared/errors'
import { installRoot } from '#ops/base/process/program'
import { trackedAt } from '#ops/platform/git/objects'
import { liesIn, repositoryFolders } from '#ops/platform/git/repository-folders'
import { readOperatorSettings } from '#ops/core/config/settings-files'
import { codexProgram, type CodexProgram } from '#ops/features/ship/review/codex-program'
import type { Commit } from './commit.ts'
import type { Unmet } from './unmet.ts'

/** A laptop that ships a commit. */
export interface Shipper extends Commit {
  /** Folder of the operator's settings. */
  readonly home: string
}

/** The reviewer lies outside the repository, its working trees and the folders in which its tests run. */
export async function checkPrograms(shipper: Shipper): Promise<Unmet | null> {
  const { repo, home } = shipper
  try {
    return await checkReviewer(codexProgram(readOperatorSettings(home).review.codex, repo), shipper)
  } catch (error) {
    // Whether there is a reviewer at all, the review says, after the tests.
    if (error instanceof Problem && error.errorClass === 'review_unavailable') return null
    throw error
  }
}

/** The reviewer that the change could replace. */
export async function checkReviewer(
  { parts, isOwn }: Pick<CodexProgram, 'parts' | 'isOwn'>,
  { repo, head, git }: Commit,
): Promise<Unmet | null> {
  const folders = [...repositoryFolders(repo), ...testFolders(parts)]
  for (const part of parts) {
    if (!liesIn(part, folders)) continue
    // HQ that runs from the very repository it ships: what `npm ci` put beside it is in no commit.
    const inside = relative(repo, part)
    const isBeside = isOwn && liesIn(installRoot(), [repo]) && !inside.startsWith('..')
    const path = inside.split(sep).join('/')
    if (!isBeside || (await trackedAt(repo, { commit: head, path }, git)) !== null)
      return inRepository(part)
  }
  return null
}

const inRepository = (program: string): Unmet => ({
  errorClass: 'program_in_repository',
  sentence:
    'A change must not bring the program that judges it: ' +
    `the Codex CLI, ${program}, lies inside the repository.`,
})

/** Folders that HQ makes for the tests of a change; a test could leave a program in one. */
function testFolders(parts: readonly string[]): string[] {
  const start = join(tmpdir(), 'openclaw-')
  return parts.filter((part) => part.startsWith(start))
}

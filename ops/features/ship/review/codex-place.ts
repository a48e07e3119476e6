// The program that reviews a change must not come from it.
import { tmpdir } from 'node:os'
import { join, relative, sep } from 'node:path'
import { Problem } from '#shared/errors'
import { installRoot } from '#ops/base/process/program'
import { trackedAt } from '#ops/platform/git/objects'
import { liesIn, repositoryFolders } from '#ops/platform/git/repository-folders'
import type { GitOptions } from '#ops/platform/git/run-git'
import type { CodexProgram } from './codex-program.ts'

/** What is reviewed. */
interface Reviewed {
  readonly repo: string
  readonly head: string
  readonly git: GitOptions
}

type Program = Pick<CodexProgram, 'parts' | 'isOwn'>

/** @throws {Problem} `program_in_repository` */
export async function refuseCodexOfChange(program: Program, reviewed: Reviewed): Promise<void> {
  const sentence = await codexOfChange(program, reviewed)
  if (sentence !== null)
    throw new Problem('program_in_repository', `${sentence} Nothing was pushed.`)
}

/**
 * Does the program lie outside the repository, its working trees and the folders in which its tests run?
 * @returns null; otherwise a sentence that names the file
 */
export async function codexOfChange(
  { parts, isOwn }: Program,
  { repo, head, git }: Reviewed,
): Promise<string | null> {
  const folders = [...repositoryFolders(repo), ...testFolders(parts)]
  for (const part of parts) {
    if (!liesIn(part, folders)) continue
    // HQ that runs from the very repository it ships: what `npm ci` put beside it is in no commit.
    const inside = relative(repo, part)
    const isBeside = isOwn && liesIn(installRoot(), [repo]) && !inside.startsWith('..')
    const path = inside.split(sep).join('/')
    if (!isBeside || (await trackedAt(repo, { commit: head, path }, git)) !== null)
      return (
        'A change must not bring the program that judges it: ' +
        `the Codex CLI, ${part}, lies inside the repository.`
      )
  }
  return null
}

/** Folders that HQ makes for the tests of a change; a test could leave a program in one. */
function testFolders(parts: readonly string[]): string[] {
  const start = join(tmpdir(), 'openclaw-')
  return parts.filter((part) => part.startsWith(start))
}

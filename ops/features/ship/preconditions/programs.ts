// The program that reviews a change must not come from it.
import { Problem } from '#shared/errors'
import { readOperatorSettings } from '#ops/core/config/settings-files'
import { refuseCodexOfChange } from '#ops/features/ship/review/codex-place'
import { codexProgram } from '#ops/features/ship/review/codex-program'
import type { Commit } from './commit.ts'

/** A laptop that ships a commit. */
export interface Shipper extends Commit {
  /** Folder of the operator's settings. */
  readonly home: string
}

/** @throws {Problem} `program_in_repository` */
export async function checkReviewer({ home, ...commit }: Shipper): Promise<null> {
  const { codex } = readOperatorSettings(home).review
  try {
    await refuseCodexOfChange(codexProgram(codex, commit.repo), commit)
  } catch (error) {
    // Whether there is a reviewer at all, the review says, after the tests.
    if (!(error instanceof Problem && error.errorClass === 'review_unavailable')) throw error
  }
  return null
}

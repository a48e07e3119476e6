// The program that reviews a change must not come from it.
import { Problem } from '#shared/errors'
import { readOperatorSettings } from '#ops/core/config/settings-files'
import { codexOfChange } from '#ops/features/ship/review/codex-place'
import { codexProgram } from '#ops/features/ship/review/codex-program'
import type { Commit } from './commit.ts'
import type { Unmet } from './unmet.ts'

/** A laptop that ships a commit. */
export interface Shipper extends Commit {
  /** Folder of the operator's settings. */
  readonly home: string
}

export async function checkReviewer({ home, ...commit }: Shipper): Promise<Unmet | null> {
  const { codex } = readOperatorSettings(home).review
  try {
    const sentence = await codexOfChange(codexProgram(codex, commit.repo), commit)
    return sentence === null ? null : { errorClass: 'program_in_repository', sentence }
  } catch (error) {
    // Whether there is a reviewer at all, the review says, after the tests.
    if (error instanceof Problem && error.errorClass === 'review_unavailable') return null
    throw error
  }
}

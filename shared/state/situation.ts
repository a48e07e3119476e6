/** A situation: what the headline says, and the one next action. Both come from one function, so they agree. */
import { shortCommit } from '../ids.ts'
import type { NextAction } from './next.ts'
import type { Standing } from './standing.ts'
import type { Tone } from './tone.ts'

export interface Headline {
  readonly title: string
  /** What follows, in one sentence. */
  readonly sub: string
  readonly tone: Tone
  readonly done: boolean
  readonly errorClass: string | null
}

export interface Situation {
  readonly headline: Headline
  readonly next: NextAction
}

/** @returns null when it does not apply */
export type Case = (standing: Standing) => Situation | null

/** The parts of a sub line that are there, joined. */
export const joined = (...parts: readonly (string | null | undefined | false)[]): string =>
  parts.filter(Boolean).join(' · ')

export const headline = (tone: Tone, title: string, sub: string): Headline => ({
  title,
  sub,
  tone,
  done: false,
  errorClass: null,
})

export const short = (commit: string | null): string =>
  commit === null ? 'The change' : shortCommit(commit)

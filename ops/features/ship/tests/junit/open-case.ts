// A test case while its element is read, and what it did once it is closed.
import type { XmlTag } from './xml-events.ts'
import { markOf, type Dialect, type SkipMark } from './dialects.ts'
import type { Outcome, TestCase } from './test-report.ts'
import { saidBy, type Said } from './words.ts'

/** Longest name and longest message that are kept, in characters. */
const maxText = 500

/** One element within a case or suite that says what happened. */
export interface Note {
  readonly kind: 'failure' | 'skip' | 'flaky'
  readonly type: string
  readonly message: string
}

/** What a case did. */
export interface Verdict {
  readonly test: TestCase
  readonly flaky: boolean
  /** Its tool counts it among the failures of the suite; a failed test to do is not `failed`. */
  readonly countsAsFailure: boolean
  /** Its tool counts it among the skips. */
  readonly countsAsSkip: boolean
  /** It passed and took no time. */
  readonly instant: boolean
}

export class OpenCase {
  readonly frame = 'case'
  readonly name: string
  readonly #title: string
  /** It stands right below the root. */
  readonly #top: boolean
  readonly #attributes: ReadonlyMap<string, string>
  #failure: Note | null = null
  #skip: Note | null = null
  #flaky = false

  constructor({ attributes }: XmlTag, top: boolean) {
    const owner = attributes.get('classname') ?? ''
    const name = attributes.get('name') || '(unnamed test)'
    this.#title = clipped(name)
    this.name = clipped(owner === '' || owner === 'test' ? name : `${owner}.${name}`)
    this.#top = top
    this.#attributes = attributes
  }

  note(note: Note): void {
    if (note.kind === 'failure') this.#failure ??= note
    else if (note.kind === 'skip') this.#skip ??= note
    else this.#flaky = true
  }

  verdict(dialect: Dialect): Verdict {
    const { outcome, message } = this.#judge(dialect)
    const passed = outcome === 'passed'
    return {
      test: { name: this.name, title: this.#title, outcome, message: clipped(message) },
      flaky: passed && this.#flaky,
      countsAsFailure: this.#failure !== null || outcome === 'failed',
      countsAsSkip: this.#skip !== null || ['skipped', 'todo', 'xfail'].includes(outcome),
      instant: passed && !this.#flaky && Number(this.#attributes.get('time')) === 0,
    }
  }

  #judge(dialect: Dialect): { readonly outcome: Outcome; readonly message: string } {
    const failure = this.#failure
    const skip = this.#skip
    const mark = skip && markOf(dialect, skip)
    // node:test ignores the failure of a test to do.
    if (skip && mark === 'todo') return { outcome: 'todo', message: skip.message }
    if (failure) return { outcome: 'failed', message: failure.message }
    const said = saidBy(this.#attributes)
    const failed = said.find(({ kind }) => kind === 'failed')
    if (failed) return { outcome: 'failed', message: failed.text }
    if (skip && mark !== null) return { outcome: skipOutcome[mark], message: skip.message }
    return judgeSaid(said) ?? this.#judgeSilent(dialect)
  }

  /** No element and no attribute says that it did anything but pass. */
  #judgeSilent({ fileCases }: Dialect): { readonly outcome: Outcome; readonly message: string } {
    const isFile =
      fileCases === true &&
      this.#top &&
      this.#attributes.get('classname') === 'test' &&
      /\.[cm]?[jt]sx?$/.test(this.name)
    return isFile
      ? { outcome: 'skipped', message: 'the file ended without reporting a test' }
      : { outcome: 'passed', message: '' }
  }
}

const skipOutcome: Readonly<Record<SkipMark, Outcome>> = {
  xfail: 'xfail',
  todo: 'todo',
  skipped: 'skipped',
  unexpected_pass: 'failed',
}

/** Some tools say it in an attribute alone (GoogleTest: status="notrun" result="suppressed"). */
function judgeSaid(
  said: readonly Said[],
): { readonly outcome: Outcome; readonly message: string } | undefined {
  const skipped = said.find(({ kind }) => kind === 'skipped')
  if (skipped) return { outcome: 'skipped', message: skipped.text }
  const unknown = said.find(({ kind }) => kind === 'unknown')
  if (unknown)
    return { outcome: 'failed', message: `${unknown.text} is not known to mean that it passed` }
  return said.some(({ kind }) => kind === 'xfail') ? { outcome: 'xfail', message: '' } : undefined
}

const clipped = (text: string): string => (text.length > maxText ? text.slice(0, maxText) : text)

// Counts the tests of a JUnit report while it is read.
import { dialectOf, dialectOfCase, unknownDialect } from './dialects.ts'
import { OpenCase, type Note } from './open-case.ts'
import { OpenNote } from './open-note.ts'
import { OpenSuite } from './open-suite.ts'
import { Tally } from './tally.ts'
import { totalOf, type TestCase, type TestReport } from './test-report.ts'
import { Unreadable } from './unreadable.ts'
import { elementKind, type ElementKind } from './words.ts'
import type { XmlHandler, XmlTag } from './xml-events.ts'

/** Output, properties and whatever lies in them. */
const inert = { frame: 'inert' } as const
type Frame = OpenSuite | OpenCase | OpenNote | typeof inert

/**
 * Each listed case is judged by itself. What the suites declare beyond their cases counts too: a failure or skip that
 * no case shows, and a number of tests that differs from the cases.
 */
export class JunitReader implements XmlHandler {
  readonly #tally = new Tally()
  readonly #onCase: (test: TestCase) => void
  readonly #frames: Frame[] = []
  /** What node:test says behind its cases. */
  readonly #summary = new Map<string, number>()
  #hasSummary = false
  #hasRoot = false
  #disagreement: Unreadable | null = null

  /** @param onCase gets each case as the report lists it: a test that ran again comes more than once */
  constructor(onCase: (test: TestCase) => void = () => undefined) {
    this.#onCase = onCase
  }

  open(tag: XmlTag): void {
    const parent = this.#frames.at(-1)
    this.#frames.push(parent === undefined ? this.#root(tag) : this.#child(parent, tag))
  }

  text(piece: string): void {
    const last = this.#frames.at(-1)
    if (last?.frame === 'note') last.text(piece)
  }

  comment(text: string): void {
    const [, name, count] = /^ (fail|cancelled) (\d{1,15}) $/.exec(text) ?? []
    if (this.#frames.length === 1 && name !== undefined) this.#summary.set(name, Number(count))
  }

  close(): void {
    const frame = this.#frames.pop()
    if (frame?.frame === 'note') this.#note(frame.close())
    else if (frame?.frame === 'case') this.#count(frame)
    else if (frame?.frame === 'suite') this.#closeSuite(frame)
  }

  /** @throws {Unreadable} when the report shows no test that ran, or when its counts and its cases differ */
  finish(): TestReport {
    if (!this.#hasRoot) throw new Unreadable('has no testsuite')
    this.#countSummary()
    const report = this.#tally.report()
    // A report with a failure is understood well enough.
    if (this.#disagreement !== null && report.failed === 0) throw this.#disagreement
    if (report.passed + report.failed + report.xfail === 0) throw new Unreadable(noTestIn(report))
    return report
  }

  #root(tag: XmlTag): Frame {
    if (elementKind(tag.kind) !== 'suite') throw new Unreadable('has no testsuite', tag.line)
    this.#hasRoot = true
    return this.#openSuite(tag)
  }

  #child(parent: Frame, tag: XmlTag): Frame {
    const kind = elementKind(tag.kind)
    if (parent.frame === 'inert' || parent.frame === 'note') return inertChild(kind, tag)
    if (kind === undefined) throw misplaced(tag)
    if (kind === 'inert') return inert
    if (kind === 'case') return this.#openCase(parent, tag)
    if (kind === 'suite' && parent.frame === 'suite') return this.#openSuite(tag)
    if (kind === 'suite' || (kind === 'flaky' && parent.frame === 'suite')) throw misplaced(tag)
    return new OpenNote(kind, tag)
  }

  #openSuite(tag: XmlTag): Frame {
    const element = tag.kind === 'testsuites' ? 'root' : 'suite'
    const dialect = dialectOf(element, tag.attributes) ?? null
    this.#hasSummary ||= dialect?.summary === true
    return new OpenSuite(tag, dialect)
  }

  #openCase(parent: OpenSuite | OpenCase, tag: XmlTag): Frame {
    const top = this.#frames.length === 1
    if (top && parent.frame === 'suite' && parent.isBare) {
      parent.dialect ??= dialectOfCase(tag.attributes) ?? null
      this.#hasSummary ||= parent.dialect?.summary === true
    }
    return new OpenCase(tag, top)
  }

  /** The innermost suite that is open. */
  get #suite(): OpenSuite {
    const suite = this.#frames.findLast((frame) => frame.frame === 'suite')
    if (suite === undefined) throw new Error('An element is open outside the root.')
    return suite
  }

  #note(note: Note): void {
    const owner = this.#frames.at(-1)
    if (owner?.frame === 'case') owner.note(note)
    else if (owner?.frame === 'suite') this.#noteSuite(owner, note)
  }

  /** A failure or skip of the suite itself: before or after its cases, or of all of them. */
  #noteSuite(suite: OpenSuite, { kind, message }: Note): void {
    const outcome = kind === 'failure' ? 'failed' : 'skipped'
    if (outcome === 'failed') suite.failures += 1
    else suite.skips += 1
    const name = `${suite.name} (suite)`
    this.#add({ name, title: name, outcome, message })
  }

  #add(test: TestCase): void {
    this.#onCase(test)
    this.#tally.add(test)
  }

  #count(open: OpenCase): void {
    const suite = this.#suite
    const { test, flaky, countsAsFailure, countsAsSkip, instant } = open.verdict(
      suite.dialect ?? unknownDialect,
    )
    suite.direct += 1
    suite.all += 1
    if (countsAsFailure) suite.failures += 1
    if (countsAsSkip) suite.skips += 1
    if (test.outcome === 'passed') suite.passed += 1
    if (instant) suite.rememberInstant(test)
    if (this.#isRerun(suite, test)) this.#onCase(test)
    else this.#add(test)
    if (flaky) this.#tally.addFlaky()
  }

  /** A further run of a test that is counted already. */
  #isRerun(suite: OpenSuite, test: TestCase): boolean {
    const { reruns } = suite.dialect ?? unknownDialect
    const { name, outcome } = test
    if (reruns === 'failed_and_passed' && outcome === 'failed') return !suite.rememberFailed(test)
    if (outcome !== 'passed' || reruns === null) return false
    if (reruns === 'failed_and_passed') {
      const failed = suite.takeFailed(name)
      if (failed !== undefined) this.#tally.passedLater(failed)
      return failed !== undefined
    }
    const again = suite.passedBefore(name)
    if (again) {
      suite.repeats += 1
      this.#tally.addFlaky()
    }
    return again
  }

  #closeSuite(suite: OpenSuite): void {
    this.#addUnnamed(suite)
    const { dialect, declared, passed } = suite
    if (dialect?.tests === 'not_todo') {
      const count = Math.min(suite.uncounted(), passed)
      this.#tally.wereToDo(count, count === suite.instant ? suite.instants : [])
    }
    this.#disagreement ??= suite.disagreement()
    const parent = this.#frames.at(-1)
    if (parent?.frame !== 'suite') return
    parent.suites += 1
    parent.all += suite.all
    parent.inner += declared.tests ?? suite.all
    parent.failures += suite.failures
    parent.skips += suite.skips
    parent.repeats += suite.repeats
    parent.unlisted += suite.unlisted
  }

  /** Failures and skips that the suite declares or says of itself and that no case shows. */
  #addUnnamed(suite: OpenSuite): void {
    const { failed = 0, skipped = 0 } = suite.declared
    const moreFailed = Math.max(failed - suite.failures, 0)
    const moreSkipped = Math.max(skipped - suite.skips, 0)
    suite.failures += moreFailed
    suite.skips += moreSkipped
    suite.unlisted += moreSkipped
    this.#tally.addUnnamed('failed', moreFailed)
    this.#tally.addUnnamed('skipped', moreSkipped)
    const said = suite.saidFailed
    if (said !== undefined && suite.failures === 0)
      this.#noteSuite(suite, { kind: 'failure', type: '', message: said })
  }

  /** node:test shows neither a test that failed after its subtests passed, nor a failed hook. */
  #countSummary(): void {
    if (!this.#hasSummary || this.#tally.failed > 0) return
    for (const count of this.#summary.values()) this.#tally.addUnnamed('failed', count)
  }
}

function noTestIn(report: TestReport): string {
  const [first] = report.skips
  if (first === undefined)
    return totalOf(report) === 0 ? 'lists no test' : 'lists only skipped tests'
  const reason = ['', 'true'].includes(first.message) ? '' : `: ${first.message}`
  return `lists only skipped tests (first ${first.name}${reason})`
}

/** Output may hold markup, but not what says that a test failed. */
function inertChild(kind: ElementKind | undefined, tag: XmlTag): Frame {
  if (kind === undefined || kind === 'inert') return inert
  throw misplaced(tag)
}

const misplaced = ({ name, line }: XmlTag): Unreadable =>
  new Unreadable(`has an element ${JSON.stringify(name.slice(0, 80))} where none may stand`, line)

// The words that test tools write for what a test did. Case, hyphens and spaces make no difference.

export type ElementKind = 'suite' | 'case' | 'failure' | 'skip' | 'flaky' | 'inert'

const listed = (text: string): string[] => text.trim().split(/\s+/)

const failing = listed(`
  failure fail failed error errored rerunfailure rerunerror fatal crash crashed timeout timedout
  cancelled canceled aborted broken warning exception unexpectedsuccess xpass xpassed
`)
const skipping = listed(`
  skipped skip ignored ignore disabled pending todo notrun blocked inconclusive incomplete
  suppressed notexecuted untested unexecuted
`)
const passing = listed(`
  passed pass ok success successful succeeded run completed complete executed finished done
`)
const expectedFailing = listed('xfail xfailed expectedfailure')
const inert = listed(`
  properties property systemout systemerr stacktrace attachments attachment tags tag description
  output log logs message metadata trace
`)
const failureCounts = listed(`
  failures failure failed fails fail errors error errored crashed timeouts timedout cancelled
  canceled aborted broken
`)

const kinds = new Map<string, ElementKind>([
  ['testsuites', 'suite'],
  ['testsuite', 'suite'],
  ['testcase', 'case'],
  ['flakyfailure', 'flaky'],
  ['flakyerror', 'flaky'],
  ...failing.map((word) => [word, 'failure'] as const),
  ...skipping.map((word) => [word, 'skip'] as const),
  ...inert.map((word) => [word, 'inert'] as const),
])

/** @param kind as `XmlTag.kind`. @returns undefined for an element that no table names */
export const elementKind = (kind: string): ElementKind | undefined => kinds.get(kind)

/** How a suite's attribute counts what its cases did. */
const counts = new Map<string, 'tests' | 'failed' | 'skipped'>([
  ['tests', 'tests'],
  ...failureCounts.map((word) => [word, 'failed'] as const),
  ...[...skipping, 'skips', 'todos'].map((word) => [word, 'skipped'] as const),
])

/** @param attribute in small letters. @returns undefined when it is not a count of tests */
export const countKind = (attribute: string): 'tests' | 'failed' | 'skipped' | undefined =>
  counts.get(plain(attribute))

export type StatusKind = 'passed' | 'failed' | 'skipped' | 'xfail' | 'unknown'

const statuses = new Map<string, StatusKind>([
  ...passing.map((word) => [word, 'passed'] as const),
  ...failing.map((word) => [word, 'failed'] as const),
  ...skipping.map((word) => [word, 'skipped'] as const),
  ...expectedFailing.map((word) => [word, 'xfail'] as const),
])

/** What attributes say of a test, with the words they say it in. */
export interface Said {
  readonly kind: StatusKind
  readonly text: string
}

/** Each attribute that says what the test did. A word that is not known is not a pass. */
export function saidBy(attributes: ReadonlyMap<string, string>): Said[] {
  const said: Said[] = []
  for (const [name, value] of attributes) {
    const kind = kindOf(plain(name), value)
    if (kind !== undefined) said.push({ kind, text: `${name}="${value.slice(0, 200)}"` })
  }
  return said
}

function kindOf(name: string, value: string): StatusKind | undefined {
  const word = plain(value)
  if (word === '') return undefined
  if (['status', 'result', 'outcome', 'state'].includes(name))
    return statuses.get(word) ?? 'unknown'
  const isNo = ['false', '0', 'no'].includes(word)
  if (['success', 'passed'].includes(name)) return isNo ? 'failed' : undefined
  if (name === 'executed') return isNo ? 'skipped' : undefined
  const counted = countKind(name)
  return isNo || counted === undefined || counted === 'tests' ? undefined : counted
}

const plain = (word: string): string => word.toLowerCase().replaceAll(/[\s_-]/g, '')

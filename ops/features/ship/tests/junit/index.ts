// Reads one JUnit report of any size.
import { Problem } from '#shared/errors'
import { JunitReader } from './junit-reader.ts'
import { ReportCopy } from './report-copy.ts'
import { decodingOf, encodingBytes, type Decoding } from './text-decoding.ts'
import type { TestCase, TestReport } from './test-report.ts'
import { Unreadable } from './unreadable.ts'
import { XmlEvents } from './xml-events.ts'

export type { TestCase, TestReport } from './test-report.ts'
export { totalOf } from './test-report.ts'

export interface ReadReport {
  readonly report: TestReport
  /** XML in UTF-8 that is to be kept with the run, not yet redacted. */
  readonly copy: string
}

/**
 * Counts a JUnit report (docs/TEST_REPORTS.md). Its output is not kept in memory.
 *
 * @param bytes of the report, in pieces of any size
 * @param path names the report in messages
 * @throws {Problem} `tests_no_report` when it cannot be understood, contradicts itself, or shows no test that ran
 */
export async function readJunit(
  bytes: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  path: string,
  onCase: (test: TestCase) => void = () => undefined,
): Promise<ReadReport> {
  const copy = new ReportCopy(path)
  const reader = new JunitReader((test) => {
    copy.addCase(test)
    onCase(test)
  })
  try {
    const xml = new XmlEvents(reader)
    for await (const text of decoded(bytes)) {
      copy.addText(text)
      xml.write(text)
    }
    xml.end()
    return { report: reader.finish(), copy: copy.toString() }
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error
    throw notUnderstood(error, path)
  }
}

const notUnderstood = (cause: Unreadable, path: string): Problem =>
  new Problem(
    'tests_no_report',
    `The report ${path}${cause.line === null ? '' : `:${cause.line}`} ${cause.message}, ` +
      'so there is no proof that the tests passed. Nothing was pushed.',
    { cause },
  )

/** @throws {Unreadable} for an encoding that cannot be read */
async function* decoded(
  bytes: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<string> {
  let start = Buffer.alloc(0)
  let decoding: Decoding | null = null
  for await (const piece of bytes) {
    if (decoding !== null) {
      yield decoding.push(piece)
      continue
    }
    start = Buffer.concat([start, piece])
    if (start.length < encodingBytes) continue
    decoding = decodingOf(start)
    yield decoding.push(start)
  }
  if (decoding === null) {
    decoding = decodingOf(start)
    yield decoding.push(start)
  }
  yield decoding.end()
}

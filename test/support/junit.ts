import { readJunit, type TestCase, type TestReport } from '#ops/features/ship/tests/junit/index'

/** Reads a report that is a text or bytes. @returns its counts and every case as it is listed */
export async function readReport(
  xml: string | Uint8Array,
  path = 'report.xml',
): Promise<TestReport & { readonly cases: TestCase[]; readonly copy: string }> {
  const cases: TestCase[] = []
  const bytes = typeof xml === 'string' ? Buffer.from(xml) : xml
  const { report, copy } = await readJunit([bytes], path, (test) => cases.push(test))
  return { ...report, cases, copy }
}

/** The counts that are not 0. */
export async function countsOf(xml: string | Uint8Array): Promise<Record<string, number>> {
  const { passed, failed, skipped, todo, xfail, flaky } = await readReport(xml)
  const all = { passed, failed, skipped, todo, xfail, flaky }
  return Object.fromEntries(Object.entries(all).filter(([, count]) => count > 0))
}

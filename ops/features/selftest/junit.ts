import { XMLBuilder } from 'fast-xml-parser'
import type { CheckResult } from '#shared/result'
import { writeWhole } from '#ops/base/files/json-file'
import { printable } from '#ops/core/pipeline/report'

const builder = new XMLBuilder({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  format: true,
  suppressEmptyNode: true,
})

/** One test case: FAIL is a failure, SKIP a skip, and any other status passed. */
function testCase({ name, status, detail, duration_ms }: CheckResult): object {
  const [group = '', ...rest] = name.split(':')
  const message = { '@message': printable(detail) }
  return {
    '@classname': group,
    '@name': rest.length === 0 ? group : rest.join(':'),
    '@time': (duration_ms / 1000).toFixed(3),
    ...(status === 'FAIL' ? { failure: message } : {}),
    ...(status === 'SKIP' ? { skipped: message } : {}),
  }
}

/** Writes the checks as a JUnit report, which a ship reads. @throws the error of the system */
export function writeJunit(path: string, suite: string, checks: readonly CheckResult[]): void {
  const count = (status: CheckResult['status']): number =>
    checks.filter((check) => check.status === status).length
  const text = builder.build({
    testsuites: {
      testsuite: {
        '@name': suite,
        '@tests': checks.length,
        '@failures': count('FAIL'),
        '@skipped': count('SKIP'),
        testcase: checks.map(testCase),
      },
    },
  })
  writeWhole(path, `<?xml version="1.0" encoding="UTF-8"?>\n${text}`)
}

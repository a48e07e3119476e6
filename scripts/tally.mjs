// Adds up what the named Vitest runs came to, as one line. Each is `<JSON report>:<exit code of the run>`.
import { existsSync, readFileSync } from 'node:fs'

let passed = 0,
  failed = 0,
  skipped = 0
for (const run of process.argv.slice(2)) {
  const [path, code] = [run.slice(0, run.lastIndexOf(':')), run.slice(run.lastIndexOf(':') + 1)]
  let failures = 0
  if (existsSync(path)) {
    const report = JSON.parse(readFileSync(path, 'utf8'))
    passed += report.numPassedTests
    skipped += report.numPendingTests + report.numTodoTests
    // A file that could not be loaded, whose hook failed, or whose process died has no failed test to count.
    const others = report.testResults.filter(
      (file) =>
        file.status === 'failed' &&
        !file.assertionResults.some(({ status }) => status === 'failed'),
    )
    failures = report.numFailedTests + others.length
  }
  // No report, or one in which nothing failed of a run that ended badly: an error outside of all tests,
  // or none was begun.
  failed += failures === 0 && (code !== '0' || !existsSync(path)) ? 1 : failures
}
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
process.exitCode = failed > 0 || passed === 0 ? 1 : 0

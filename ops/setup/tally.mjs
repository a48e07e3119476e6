// Adds up what the named Vitest JSON reports executed, as one line. A missing report counts as a failure.
import { existsSync, readFileSync } from 'node:fs'

let passed = 0, failed = 0, skipped = 0
for (const path of process.argv.slice(2)) {
  if (!existsSync(path)) { failed += 1; continue }
  const report = JSON.parse(readFileSync(path, 'utf8'))
  passed += report.numPassedTests
  // A file that could not even be loaded has no tests to count.
  const unloaded = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length
  failed += report.numFailedTests + unloaded
  skipped += report.numPendingTests + report.numTodoTests
}
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
process.exitCode = failed > 0 || passed === 0 ? 1 : 0

import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { checksDocument } from '#ops/core/checks/check'
import { runHere, type CheckWork } from '#ops/host/hostd-client/check-command'
import { runThroughHostd } from '#ops/host/hostd-client/index'
import { writeJson } from '#ops/base/files/json-file'
import { hostPaths, runFolder } from '#ops/base/paths/paths'
import { runContext } from '#ops/core/pipeline/run-context'
import { writeJunit } from '#ops/features/selftest/junit'
import { runSelftest } from '#ops/features/selftest/selftest'
import { auditSocketCases } from '#ops/features/selftest/socket-cases'

const work =
  (junit: string | null) =>
  async ({ context, signal }: CheckWork) => {
    const startedAt = new Date().toISOString()
    const found = await runSelftest(signal)
    // On a host every violation can be made. One that was not made was not refused, so it fails.
    const checks = context.startedByRunner
      ? found.map((check) =>
          check.status === 'SKIP'
            ? { ...check, status: 'FAIL' as const, remedy: 'prepare_host' as const }
            : check,
        )
      : found
    if (junit !== null) writeJunit(junit, 'ops_selftests', checks)
    const document = checksDocument(checks, {
      kind: 'selftest',
      runId: context.runId,
      deployRunId: context.deployRunId,
      startedAt,
      errorClass: 'selftest_failed',
      artifacts: context.startedByRunner ? { selftest: 'selftest.json' } : {},
    })
    if (context.startedByRunner)
      writeJson(
        join(runFolder(join(hostPaths().artifacts, 'selftest'), context.runId), 'selftest.json'),
        document,
      )
    return document
  }

/**
 * `hq selftest`: makes violations of every guard and checks that they are refused. On a host it is an action like
 * doctor. With `--junit`, as a ship calls it, and on a machine that is not a host, this process does the work.
 * @param junit path of a JUnit report to write
 * @param sockets internal: audits the sockets of this network namespace
 * @returns the exit code
 */
export async function run({
  json = false,
  junit,
  sockets = false,
}: {
  json?: boolean
  junit?: string
  sockets?: boolean
}): Promise<number> {
  if (sockets) {
    process.stdout.write(JSON.stringify(await auditSocketCases()))
    return 0
  }
  // Resolved first: the current folder may be changed later.
  const report = junit === undefined ? null : resolve(junit)
  const here = report !== null || runContext().startedByRunner || !existsSync(hostPaths().etc)
  return here
    ? await runHere('selftest', work(report), { json })
    : await runThroughHostd('selftest', {}, { json })
}

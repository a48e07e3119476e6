import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { checksDocument } from '../doctor/check.ts'
import { runHere, type CheckWork } from '../doctor/check-command.ts'
import { runThroughHostd } from '../host/run-through.ts'
import { writeJson } from '../json-file.ts'
import { hostPaths, runFolder } from '../paths.ts'
import { runContext } from '../run-context.ts'
import { writeJunit } from '../selftest/junit.ts'
import { runSelftest } from '../selftest/selftest.ts'
import { askAboutSockets } from '../selftest/socket-cases.ts'

const work =
  (junit: string | null) =>
  async ({ context, signal }: CheckWork) => {
    const startedAt = new Date().toISOString()
    const found = await runSelftest(signal)
    // On a host every plant can be made; one that cannot has not been seen refused.
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
        join(
          runFolder(join(hostPaths(process.env).artifacts, 'selftest'), context.runId),
          'selftest.json',
        ),
        document,
      )
    return document
  }

/**
 * `hq selftest`: plants a violation for every guard and sees it refused. On a host it is an action like doctor; with
 * `--junit`, which is how a ship calls it, and on a machine that is no host, it is done by this process.
 * @param junit path of a JUnit report that is written
 * @param sockets internal: answers for the sockets that are opened in a network namespace of its own
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
    process.stdout.write(JSON.stringify(await askAboutSockets()))
    return 0
  }
  // A path is the caller's, whatever becomes of folders meanwhile.
  const report = junit === undefined ? null : resolve(junit)
  const here =
    report !== null || runContext().startedByRunner || !existsSync(hostPaths(process.env).etc)
  return here
    ? await runHere('selftest', work(report), { json })
    : await runThroughHostd('selftest', {}, { json })
}

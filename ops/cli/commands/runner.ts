import { Problem, toProblem } from '#shared/errors'
import type { RunnerReply, RunnerRequest } from '#shared/run'
import { exitCodeOf } from '#ops/core/pipeline/exit-codes'
import { hostdUrl, hostPaths } from '#ops/base/paths/paths'
import { storeSecret } from '#ops/features/connectors/store-secret'
import { stayWithRelease } from '#ops/base/process/program'
import { cancelRun } from '#ops/host/runner/cancel-run'
import { readRequest } from '#ops/host/runner/read-request'
import { setMaintenance } from '#ops/host/runner/set-maintenance'
import { startRun } from '#ops/host/runner/start-run'
import { stopOnSignals } from '#ops/host/runner/stop-signals'
import { storeShip } from '#ops/host/runner/store-ship'

/**
 * `hq runner`: serves one request on standard input, then ends (docs/ARCHITECTURE.md). The folder of a run shows its
 * progress; every other request is answered by one JSON line on standard output.
 * @returns exit code of the run; 0 or 1 for the other requests
 */
export async function run(): Promise<number> {
  stayWithRelease()
  const paths = hostPaths()
  const signal = stopOnSignals()
  const { request, body } = await readRequest(process.stdin as AsyncIterable<Buffer>)
  if (request.op === 'start')
    return exitCodeOf(await startRun(request, { paths, hostdUrl: hostdUrl() }, signal))
  const reply = await answer(request, body)
  process.stdout.write(`${JSON.stringify(reply)}\n`)
  return reply.ok ? 0 : 1

  async function answer(
    request: Exclude<RunnerRequest, { op: 'start' }>,
    bytes: Buffer,
  ): Promise<RunnerReply> {
    try {
      switch (request.op) {
        case 'cancel':
          return { ok: true, detail: await cancelRun(paths, request.run_id) }
        case 'maintenance':
          return { ok: true, detail: await setMaintenance(paths, request) }
        case 'write_secret':
          return { ok: true, detail: await storeSecret(paths, request, bytes) }
        case 'store_ship':
          return { ok: true, detail: await storeShip(paths, request.run_id, bytes) }
        default:
          throw new Problem(
            'invalid_request',
            `unknown request ${JSON.stringify(request satisfies never)}`,
          )
      }
    } catch (error) {
      const problem = toProblem(error)
      return { ok: false, error_class: problem.errorClass, detail: problem.message }
    }
  }
}

import { join } from 'node:path'
import { Problem } from '#shared/errors'
import { projectState } from '#shared/result'
import { runDod } from '#ops/features/deploy/verify/dod'
import { runAsAction } from '#ops/host/hostd-client/check-command'
import { doctorContext } from '#ops/core/checks/context'
import { readJson } from '#ops/base/files/json-file'
import { writeDocument } from '#ops/base/redact/write-document'
import { runFolder } from '#ops/base/paths/paths'

/**
 * `hq dod`: checks the Definition of Done of the last green deploy again. Its proof is separate from the one of the
 * deploy.
 * @returns the exit code
 */
export const run = (options: { json?: boolean }): Promise<number> =>
  runAsAction({ ...options, action: 'dod' }, async ({ context, signal }) => {
    const { paths, hostdUrl } = doctorContext(context.deployRunId)
    const state = readJson(paths.projectState, projectState, 'state_invalid')
    const deployRunId = context.deployRunId ?? state?.last_deploy_run_id
    if (deployRunId === undefined)
      throw new Problem(
        'dod_failed',
        'No deploy of this host has been green yet, so there is nothing to check.',
      )
    const { document } = await runDod({
      paths,
      hostdUrl,
      runId: context.runId,
      deployRunId,
      head: { commit: state?.last_verified_head ?? null, tree: null },
      signal,
      log: () => undefined,
    })
    writeDocument(
      join(runFolder(join(paths.artifacts, 'dod'), context.runId), 'dod_result.json'),
      document,
    )
    return document
  })

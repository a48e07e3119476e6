import { join } from 'node:path'
import type { ErrorClass } from '#shared/errors'
import {
  checksResult,
  deployResult,
  dodResult,
  projectState,
  type ChecksResult,
} from '#shared/result'
import { checksDocument, fail, pass, runChecks, type Check } from '#ops/core/checks/check'
import { allHealth } from '#ops/host/engines/registry'
import { readServing } from '#ops/core/host-state/service-record'
import { readJson } from '#ops/base/files/json-file'
import type { EngineHost } from '#ops/host/engines/common/engine'

interface Question {
  readonly host: EngineHost
  readonly runId: string
  /** The deploy that must be green; null asks about the one the state names. */
  readonly deployRunId: string | null
  /** Where its proof lies: during the deploy itself, the folder of the attempt. */
  readonly proofOf: (deployRunId: string) => string
  readonly signal?: AbortSignal
}

/** Is the last deploy green, and still? State, proof and what serves must tell the same story (design §7). */
export async function greenCheck({
  host,
  runId,
  deployRunId,
  proofOf,
  signal,
}: Question): Promise<ChecksResult> {
  const { paths } = host
  const startedAt = new Date().toISOString()
  const state = () => readJson(paths.projectState, projectState, 'state_invalid')
  const remedy = 'deploy_again'
  const about = (): string | null => deployRunId ?? state()?.last_deploy_run_id ?? null
  const proof = (name: string, judge: (folder: string, id: string) => string | null): Check => ({
    name,
    remedy,
    run: () => {
      const id = about()
      if (id === null) return fail('No deploy of this host has been green yet.', remedy)
      const why = judge(proofOf(id), id)
      return why === null ? pass(`the proof of ${id} says PASS`) : fail(`${id}: ${why}`, remedy)
    },
  })
  const checks = await runChecks(
    [
      {
        name: 'state',
        remedy,
        run: () => {
          const now = state()
          const id = about()
          if (!now || id === null) return fail('No deploy of this host has been green yet.', remedy)
          if (now.last_deploy_run_id !== id)
            return fail(`The state names ${now.last_deploy_run_id}, not ${id}.`, remedy)
          return now.last_verified_head === now.target_sha
            ? pass(`${id} verified ${now.target_sha}, the target`)
            : fail(
                `Verified is ${now.last_verified_head}; the target is ${now.target_sha}.`,
                remedy,
              )
        },
      },
      proof('deploy_result', (folder, id) => {
        const result = readJson(join(folder, 'deploy_result.json'), deployResult, 'state_invalid')
        if (!result) return 'deploy_result.json is missing'
        if (result.run_id !== id) return `deploy_result.json is about ${result.run_id}`
        return result.overall === 'PASS' ? null : `it failed: ${result.error_class ?? 'unknown'}`
      }),
      proof('verify_production', (folder, id) => {
        const result = readJson(
          join(folder, 'verify_production.json'),
          checksResult,
          'state_invalid',
        )
        if (!result) return 'verify_production.json is missing'
        return result.deploy_run_id === id && result.overall === 'PASS'
          ? null
          : 'verify_production.json is no PASS of this deploy'
      }),
      proof('dod_result', (folder, id) => {
        const result = readJson(join(folder, 'dod_result.json'), dodResult, 'state_invalid')
        if (!result) return 'dod_result.json is missing'
        return result.deploy_run_id === id && result.overall === 'PASS'
          ? null
          : 'dod_result.json is no PASS of this deploy'
      }),
      {
        name: 'serving',
        remedy,
        run: async (abort) => {
          const target = state()?.target_sha
          const serving = readServing(paths)?.sha
          if (target === undefined || serving !== target)
            return fail(
              `${serving ?? 'Nothing'} serves; the target is ${target ?? 'not set'}.`,
              remedy,
            )
          const services = await allHealth(host, abort)
          const ill = services.filter(({ why }) => why !== null)
          return ill.length > 0
            ? fail(ill.map(({ detail }) => detail).join('; '), remedy)
            : pass(`${services.length} services answer as ${target.slice(0, 12)}`)
        },
      },
    ],
    signal,
  )
  return checksDocument(checks, {
    kind: 'green_check',
    runId,
    deployRunId,
    startedAt,
    errorClass: 'green_check_failed' satisfies ErrorClass,
    artifacts: {},
  })
}

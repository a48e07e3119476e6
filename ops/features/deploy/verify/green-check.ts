// Is the last deploy green, and still? State, proof and what serves must agree.
import { join } from 'node:path'
import type { z } from 'zod'
import type { ErrorClass } from '#shared/errors'
import { shortCommit } from '#shared/ids'
import {
  checksResult,
  deployResult,
  dodResult,
  projectState,
  type ChecksResult,
  type ProjectState,
} from '#shared/result'
import { readJson } from '#ops/base/files/json-file'
import { checksDocument, fail, pass, runChecks, type Check } from '#ops/core/checks/check'
import { readServing } from '#ops/core/host-state/service-record'
import type { EngineHost } from '#ops/host/engines/common/engine'
import { allHealth } from '#ops/host/engines/registry'

interface GreenCheckRequest {
  readonly host: EngineHost
  readonly runId: string
  /** The deploy that must be green; null checks the one that the state names. */
  readonly deployRunId: string | null
  /** Folder of its proof. During the deploy itself that is the folder of the attempt. */
  readonly proofOf: (deployRunId: string) => string
  readonly signal?: AbortSignal
}

const remedy = 'deploy_again'
const neverGreen = 'No deploy of this host has been green yet.'

export async function greenCheck(request: GreenCheckRequest): Promise<ChecksResult> {
  const { runId, deployRunId, signal } = request
  const startedAt = new Date().toISOString()
  const checks = await runChecks(
    [stateCheck(request), ...proofChecks(request), servingCheck(request)],
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

const stateOf = ({ host }: GreenCheckRequest): ProjectState | undefined =>
  readJson(host.paths.projectState, projectState, 'state_invalid')

/** Id of the deploy that is checked; null when no deploy was green. */
const checkedDeploy = (request: GreenCheckRequest): string | null =>
  request.deployRunId ?? stateOf(request)?.last_deploy_run_id ?? null

const stateCheck = (request: GreenCheckRequest): Check => ({
  name: 'state',
  remedy,
  run: () => {
    const now = stateOf(request)
    const id = checkedDeploy(request)
    if (!now || id === null) return fail(neverGreen, remedy)
    if (now.last_deploy_run_id !== id)
      return fail(`The state names ${now.last_deploy_run_id}, not ${id}.`, remedy)
    return now.last_verified_head === now.target_sha
      ? pass(`${id} verified ${now.target_sha}, the target`)
      : fail(`Verified is ${now.last_verified_head}; the target is ${now.target_sha}.`, remedy)
  },
})

/** One document of the deploy's proof. */
interface Proof<S extends z.ZodType> {
  readonly name: string
  readonly schema: S
  /** Why the document is not a PASS of this deploy; null when it is one. */
  readonly why: (result: z.output<S>, id: string) => string | null
}

const proofCheck = <S extends z.ZodType>(
  request: GreenCheckRequest,
  { name, schema, why }: Proof<S>,
): Check => ({
  name,
  remedy,
  run: () => {
    const id = checkedDeploy(request)
    if (id === null) return fail(neverGreen, remedy)
    const file = `${name}.json`
    const result = readJson(join(request.proofOf(id), file), schema, 'state_invalid')
    const wrong = result === undefined ? `${file} is missing` : why(result, id)
    return wrong === null ? pass(`the proof of ${id} says PASS`) : fail(`${id}: ${wrong}`, remedy)
  },
})

const proofChecks = (request: GreenCheckRequest): Check[] => [
  proofCheck(request, {
    name: 'deploy_result',
    schema: deployResult,
    why: ({ run_id, overall, error_class }, id) => {
      if (run_id !== id) return `deploy_result.json is about ${run_id}`
      return overall === 'PASS' ? null : `it failed: ${error_class ?? 'unknown'}`
    },
  }),
  proofCheck(request, {
    name: 'verify_production',
    schema: checksResult,
    why: ({ deploy_run_id, overall }, id) =>
      deploy_run_id === id && overall === 'PASS'
        ? null
        : 'verify_production.json is not a PASS of this deploy',
  }),
  proofCheck(request, {
    name: 'dod_result',
    schema: dodResult,
    why: ({ deploy_run_id, overall }, id) =>
      deploy_run_id === id && overall === 'PASS'
        ? null
        : 'dod_result.json is not a PASS of this deploy',
  }),
]

const servingCheck = (request: GreenCheckRequest): Check => ({
  name: 'serving',
  remedy,
  run: async (signal) => {
    const { host } = request
    const target = stateOf(request)?.target_sha
    const serving = readServing(host.paths)?.sha
    if (target === undefined || serving !== target)
      return fail(`${serving ?? 'Nothing'} serves; the target is ${target ?? 'not set'}.`, remedy)
    const services = await allHealth(host, signal)
    const unhealthy = services.filter(({ why }) => why !== null)
    return unhealthy.length > 0
      ? fail(unhealthy.map(({ detail }) => detail).join('; '), remedy)
      : pass(`${services.length} services answer as ${shortCommit(target)}`)
  },
})

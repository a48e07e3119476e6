import { hostdPaths } from '#shared/hostd-paths'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { actionOf, isActionId, type ActionId, type Lane } from '#shared/actions'
import { dodRunHeader, execReply, execRequest, joinableBody, type JoinableBody } from '#shared/api'
import { errorRule, Problem } from '#shared/errors'
import { runId } from '#shared/ids'
import type { Run } from '#shared/run'
import { readMaintenance } from '#ops/core/host-state/maintenance'
import { headerValues } from '../http/auth.ts'
import { actorOf, requireActor } from '../http/caller.ts'
import type { Deps } from '../http/deps.ts'
import { checked, mount } from '../http/mount.ts'

/** The 409 of a busy lane: enough for the caller to join. */
export const joinable = (active: Run): JoinableBody => ({
  ok: false,
  error_class: 'ALREADY_RUNNING',
  next_auto_fix: errorRule('ALREADY_RUNNING').next_auto_fix,
  action: active.action,
  active_run_id: active.run_id,
  started_at: active.started_at ?? active.requested_at,
  detail: `${active.action} is running already as ${active.run_id}; join it. Nothing was started.`,
})

/**
 * The deploy on whose behalf the request comes.
 * @throws {Problem} `invalid_request` when the header is doubled or not a run id
 */
function deployOf(request: FastifyRequest): string | null {
  const values = headerValues(request.raw, dodRunHeader)
  if (values.length === 0) return null
  if (values.length > 1)
    throw new Problem(
      'invalid_request',
      `The header ${dodRunHeader} was sent ${values.length} times. Nothing was started.`,
    )
  return checked(runId, values[0], `header ${dodRunHeader}`)
}

/** @throws {Problem} `MAINTENANCE_MODE` unless the action is allowed in it or comes from the deploy that holds it */
function checkMaintenance(deps: Deps, action: ActionId, deploy: string | null): void {
  const rule = actionOf(action).in_maintenance
  if (rule === 'allowed') return
  const { on, file, unreadable } = readMaintenance(deps.paths)
  if (!on || (deploy !== null && file?.deploy_run_id === deploy)) return
  // Nothing runs in it: a person wants to know how the host is.
  if (rule === 'idle' && !deps.runs.active().some(({ lane }) => lane === 'deploy')) return
  const holder =
    unreadable === null
      ? (file?.deploy_run_id ?? 'a person')
      : 'an unknown holder, because its file cannot be read'
  throw new Problem(
    'MAINTENANCE_MODE',
    `The host is in maintenance mode, held by ${holder}. ${action} was not started.`,
  )
}

export function execRoutes(app: FastifyInstance, deps: Deps): void {
  mount(app, {
    method: 'POST',
    url: hostdPaths.exec,
    summary: 'Starts an action, or names the run that holds its lane',
    headers: z.object({ [dodRunHeader]: runId.optional() }),
    body: execRequest,
    replies: { 202: execReply, 409: joinableBody },
    handle: ({ body, request, reply }) => {
      if (!isActionId(body.action))
        throw new Problem(
          'unknown_action',
          `${JSON.stringify(body.action)} is not an action of this host. Nothing was started.`,
        )
      return startRun(deps, { action: body.action, params: body.params ?? {}, request, reply })
    },
  })
}

/** Lanes of actions that only check or report. */
const readingLanes: readonly Lane[] = [
  'doctor',
  'port_audit',
  'verify',
  'dod',
  'green_check',
  'tail',
  'status',
  'selftest',
]
const changesHost = (action: ActionId): boolean => !readingLanes.includes(actionOf(action).lane)

interface StartRequest {
  readonly action: ActionId
  readonly params: Record<string, unknown>
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

/**
 * Starts an action for a request.
 * @returns the run, or with status 409 the one that holds the lane
 * @throws {Problem} `invalid_request` for parameters that the action does not take; `MAINTENANCE_MODE`;
 *   `actor_refused`; `config_invalid`
 */
export async function startRun(deps: Deps, { action, params, request, reply }: StartRequest) {
  const taken = checked(actionOf(action).params, params, 'params field')
  const deployRunId = deployOf(request)
  const actor = changesHost(action)
    ? await requireActor(request.raw, deps.paths)
    : await actorOf(request.raw)
  // Nothing may wait between the two: maintenance may begin while Tailscale is asked.
  checkMaintenance(deps, action, deployRunId)
  const outcome = deps.runs.start({ action, params: taken, actor, deployRunId })
  if ('busy' in outcome) {
    void reply.code(409)
    return joinable(outcome.busy)
  }
  return { ok: true as const, run_id: outcome.run.run_id, status: outcome.run.status }
}

import { hostdPaths } from '#shared/hostd-paths'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { joinableBody, maintenanceReply, maintenanceRequest } from '#shared/api'
import { readMaintenance } from '#ops/core/host-state/maintenance'
import { requestFromRunner } from '#ops/host/runner/launch'
import { requireActor } from '../http/caller.ts'
import type { Deps } from '../http/deps.ts'
import { mount } from '../http/mount.ts'
import { joinable } from './exec.ts'

/** A person's own switch. It is put on at any time; while a deploy runs it is not ended: the deploy holds it itself. */
export function maintenanceRoutes(app: FastifyInstance, deps: Deps): void {
  const state = () => ({ ok: true as const, maintenance: readMaintenance(deps.paths) })
  const set = async (change: { set: 'on' | 'off'; reason: string }, request: FastifyRequest) => {
    const { detail } = await requestFromRunner(
      { op: 'maintenance', ...change, actor: await requireActor(request.raw, deps.paths) },
      deps.launch(),
    )
    deps.log('maintenance', { set: change.set, detail })
    return state()
  }
  mount(app, {
    method: 'GET',
    url: hostdPaths.maintenance,
    summary: 'Whether maintenance mode is on, since when and why',
    replies: { 200: maintenanceReply },
    handle: state,
  })
  mount(app, {
    method: 'PUT',
    url: hostdPaths.maintenance,
    summary: 'Turns maintenance mode on for a person; a deploy that runs stops before its switch',
    body: maintenanceRequest,
    replies: { 200: maintenanceReply },
    handle: async ({ body, request }) => await set({ set: 'on', ...body }, request),
  })
  mount(app, {
    method: 'DELETE',
    url: hostdPaths.maintenance,
    summary: 'Turns maintenance mode off; refused while a deploy runs',
    replies: { 200: maintenanceReply, 409: joinableBody },
    handle: async ({ request, reply }) => {
      const deploy = deps.runs.active().find(({ lane }) => lane === 'deploy')
      if (deploy === undefined) return await set({ set: 'off', reason: '' }, request)
      void reply.code(409)
      return joinable(deploy)
    },
  })
}

import { hostdPaths } from '#shared/hostd-paths'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { joinableBody, maintenanceReply, maintenanceRequest } from '#shared/api'
import { readMaintenance } from '#ops/core/host-state/maintenance'
import { requestFromRunner } from '#ops/host/runner/launch'
import { actorOf } from '../http/auth.ts'
import type { Deps } from '../http/deps.ts'
import { mount } from '../http/mount.ts'
import { joinable } from './exec.ts'

/** A person's own switch. While a deploy runs it is refused: the deploy holds the mode itself. */
export function maintenanceRoutes(app: FastifyInstance, deps: Deps): void {
  const state = () => ({ ok: true as const, maintenance: readMaintenance(deps.paths) })
  const set = async (
    change: { set: 'on' | 'off'; reason: string },
    { request, reply }: { request: FastifyRequest; reply: FastifyReply },
  ) => {
    const deploy = deps.runs.active().find(({ lane }) => lane === 'deploy')
    if (deploy !== undefined) {
      void reply.code(409)
      return joinable(deploy)
    }
    const { detail } = await requestFromRunner(
      { op: 'maintenance', ...change, actor: actorOf(request.raw) },
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
    summary: 'Turns maintenance mode on; refused while a deploy runs',
    body: maintenanceRequest,
    replies: { 200: maintenanceReply, 409: joinableBody },
    handle: async ({ body, ...exchange }) => await set({ set: 'on', ...body }, exchange),
  })
  mount(app, {
    method: 'DELETE',
    url: hostdPaths.maintenance,
    summary: 'Turns maintenance mode off; refused while a deploy runs',
    replies: { 200: maintenanceReply, 409: joinableBody },
    handle: async (exchange) => await set({ set: 'off', reason: '' }, exchange),
  })
}

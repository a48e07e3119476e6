import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { joinableBody, maintenanceReply, maintenanceRequest } from '#shared/api'
import { readMaintenance } from '#ops/core/host-state/maintenance'
import { askRunner } from '#ops/host/runner/launch'
import { actorOf } from '../http/auth.ts'
import type { Deps } from '../http/deps.ts'
import { mount } from '../http/mount.ts'
import { joinable } from './exec.ts'

/** A person's own switch. While a deploy runs it is refused: the deploy holds the mode itself. */
export function maintenanceRoutes(app: FastifyInstance, deps: Deps): void {
  const state = () => ({ ok: true as const, maintenance: readMaintenance(deps.paths) })
  const set = async (
    to: 'on' | 'off',
    reason: string,
    request: FastifyRequest,
    reply: FastifyReply,
  ) => {
    const deploy = deps.runs.active().find(({ lane }) => lane === 'deploy')
    if (deploy !== undefined) {
      void reply.code(409)
      return joinable(deploy)
    }
    const { detail } = await askRunner(
      { op: 'maintenance', set: to, reason, actor: actorOf(request.raw) },
      deps.launch(),
    )
    deps.log('maintenance', { set: to, detail })
    return state()
  }
  const reply = z.union([maintenanceReply, joinableBody])
  mount(app, { method: 'GET', url: '/api/maintenance', reply: maintenanceReply, handle: state })
  mount(app, {
    method: 'PUT',
    url: '/api/maintenance',
    body: maintenanceRequest,
    reply,
    handle: async ({ body, request, reply: answer }) =>
      await set('on', body.reason, request, answer),
  })
  mount(app, {
    method: 'DELETE',
    url: '/api/maintenance',
    reply,
    handle: async ({ request, reply: answer }) => await set('off', '', request, answer),
  })
}

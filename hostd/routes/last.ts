import type { FastifyInstance } from 'fastify'
import { deployLastReply, dodLastReply, shipLastReply } from '#shared/api'
import type { LastResults } from '../runs/last-results.ts'
import { mount } from '../http/mount.ts'

/** The last result of each kind, or null. `ok` is computed from it. */
export function lastRoutes(app: FastifyInstance, results: LastResults): void {
  mount(app, {
    method: 'GET',
    url: '/api/dod/last',
    reply: dodLastReply,
    handle: () => results.dod(),
  })
  mount(app, {
    method: 'GET',
    url: '/api/deploy/last',
    reply: deployLastReply,
    handle: () => results.deploy(),
  })
  mount(app, {
    method: 'GET',
    url: '/api/ship/last',
    reply: shipLastReply,
    handle: () => results.ship(),
  })
}

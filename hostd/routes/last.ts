import { hostdPaths } from '#shared/hostd-paths'
import type { FastifyInstance } from 'fastify'
import { deployLastReply, dodLastReply, shipLastReply } from '#shared/api'
import type { LastResults } from '../runs/last-results.ts'
import { mount } from '../http/mount.ts'

/** The last result of each kind, or null. `ok` is computed from it. */
export function lastRoutes(app: FastifyInstance, results: LastResults): void {
  mount(app, {
    method: 'GET',
    url: hostdPaths.lastDod,
    summary: 'The last Definition-of-Done result of a finished deploy',
    replies: { 200: dodLastReply },
    handle: () => results.dod(),
  })
  mount(app, {
    method: 'GET',
    url: hostdPaths.lastDeploy,
    summary: 'The last finished deploy, with its triage if it failed',
    replies: { 200: deployLastReply },
    handle: () => results.deploy(),
  })
  mount(app, {
    method: 'GET',
    url: hostdPaths.lastShip,
    summary: 'The last ship that was stored here, and whether its seal holds',
    replies: { 200: shipLastReply },
    handle: () => results.ship(),
  })
}

import { hostdPaths } from '#shared/hostd-paths'
import type { FastifyInstance } from 'fastify'
import { healthReply } from '#shared/api'
import { mount } from '../http/mount.ts'

/** Open to everybody who reaches the port, and therefore minimal: that it lives, since when, and what it is. */
export function healthRoutes(app: FastifyInstance, { version }: { version: string }): void {
  mount(app, {
    method: 'GET',
    url: hostdPaths.health,
    summary:
      'Whether hostd lives, since when and which version it is; the only route without a token',
    replies: { 200: healthReply },
    handle: () => ({
      ok: true as const,
      version,
      uptime_seconds: Math.floor(process.uptime()),
      time: new Date().toISOString(),
    }),
  })
}

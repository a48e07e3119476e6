import { hostdPaths } from '#shared/hostd-paths'
import type { FastifyInstance } from 'fastify'
import { trustReply } from '#shared/api'
import { trustedShipKeys } from '#ops/core/trust/enrolled-keys'
import type { Deps } from '../http/deps.ts'
import { mount } from '../http/mount.ts'

/** Whose verdicts and ships this host trusts. Read each time: a key that was just enrolled counts at once. */
export function trustRoutes(app: FastifyInstance, { paths }: Deps): void {
  mount(app, {
    method: 'GET',
    url: hostdPaths.trust,
    summary: 'Whose verdicts and ships this host trusts',
    replies: { 200: trustReply },
    handle: () => ({
      ok: true as const,
      ship_keys: trustedShipKeys(paths).map(({ id, enrolled }) => ({
        id,
        label: enrolled?.label ?? null,
        enrolled_at: enrolled?.enrolled_at ?? null,
      })),
    }),
  })
}

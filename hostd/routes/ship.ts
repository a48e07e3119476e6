import { hostdPaths } from '#shared/hostd-paths'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { shipStoredReply } from '#shared/api'
import { maxBundleBytes, shipBundle } from '#shared/bundle'
import { Problem } from '#shared/errors'
import { runId } from '#shared/ids'
import { requestFromRunner } from '#ops/host/runner/launch'
import { requireActor } from '../http/caller.ts'
import type { Deps } from '../http/deps.ts'
import { mount } from '../http/mount.ts'
import type { Verify } from '../runs/verified.ts'

/** The ship bundle from the laptop. hostd checks its shape; the runner checks every digest again and stores it. */
export function shipRoutes(app: FastifyInstance, deps: Deps, verify: Verify): void {
  mount(app, {
    method: 'PUT',
    url: hostdPaths.storeShip,
    summary: 'Stores the bundle of a ship; sending the same one again changes nothing',
    params: z.strictObject({ run_id: runId }),
    body: shipBundle,
    replies: { 200: shipStoredReply },
    bodyLimit: maxBundleBytes,
    handle: async ({ params: { run_id }, body, request }) => {
      if (body.run_id !== run_id)
        throw new Problem(
          'invalid_request',
          `The body is refused: run_id: it names ${body.run_id}, the address ${run_id}. Nothing was stored.`,
        )
      const bytes = Buffer.from(JSON.stringify(body))
      const { detail } = await requestFromRunner(
        {
          op: 'store_ship',
          run_id,
          size: bytes.length,
          actor: await requireActor(request.raw, deps.paths),
        },
        deps.launch(),
        bytes,
      )
      deps.log('ship_stored', { run_id, stored: detail })
      return {
        ok: true as const,
        run_id,
        stored: z.enum(['created', 'unchanged']).parse(detail),
        verification: await verify('ship', run_id),
      }
    },
  })
}

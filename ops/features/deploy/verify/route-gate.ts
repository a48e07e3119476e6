// The route gate: the API answers through the console.
import { hostdPaths } from '#shared/hostd-paths'
import { z } from 'zod'
import {
  artifactsReply,
  deployLastReply,
  dodLastReply,
  maintenanceReply,
  projectStateReply,
  runsReply,
  shipLastReply,
  statusReply,
} from '#shared/api'
import { Problem, type ErrorClass } from '#shared/errors'
import { messageOf } from '#shared/system-error'
import { readAdminToken } from '#ops/core/config/admin-token'
import { probeApi } from '#ops/host/hostd-client/probe'
import { parseJson } from '#ops/base/files/json-file'
import type { DeployHost } from '#ops/features/deploy/state/facts'

const dodLast = hostdPaths.lastDod

/** Schemas of the known routes. Any other configured route must answer a JSON object. */
const schemas: Readonly<Record<string, z.ZodType>> = {
  [dodLast]: dodLastReply,
  [hostdPaths.status]: statusReply,
  [hostdPaths.lastDeploy]: deployLastReply,
  [hostdPaths.lastShip]: shipLastReply,
  [hostdPaths.projectState]: projectStateReply,
  [hostdPaths.maintenance]: maintenanceReply,
  [hostdPaths.runs]: runsReply,
  [hostdPaths.artifacts]: artifactsReply,
}
const anyObject = z.looseObject({})

/**
 * Every configured route exists behind the console and answers its schema, with the token; `/api/dod/last` always.
 * @returns the routes that were checked
 * @throws {Problem} `missing_route_dod_last` · `route_missing`
 */
export async function requireRoutes(
  { paths, consoleUrl }: Pick<DeployHost, 'paths' | 'consoleUrl'>,
  configured: readonly string[],
  { signal, log }: { signal: AbortSignal; log: (text: string) => void },
): Promise<string[]> {
  const token = readAdminToken(paths.tokenFile)
  const routes = [...new Set([dodLast, ...configured])]
  for (const route of routes) {
    const errorClass: ErrorClass = route === dodLast ? 'missing_route_dod_last' : 'route_missing'
    const answer = await probeApi({ base: consoleUrl, path: route, token, signal }).catch(
      (error: unknown) => {
        signal.throwIfAborted()
        throw new Problem(
          errorClass,
          `${route} did not answer through the console: ${messageOf(error)}`,
          { cause: error },
        )
      },
    )
    if (answer.status !== 200)
      throw new Problem(errorClass, `${consoleUrl}${route} answered ${answer.status}, not 200.`)
    parseJson(answer.text, schemas[new URL(route, consoleUrl).pathname] ?? anyObject, {
      errorClass,
      origin: `${consoleUrl}${route}`,
    })
    log(`${consoleUrl}${route}: 200, as its schema says`)
  }
  return routes
}

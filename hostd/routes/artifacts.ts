import { hostdPaths } from '#shared/hostd-paths'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { z } from 'zod'
import { artifactsReply } from '#shared/api'
import { openArtifact } from '#ops/base/files/artifacts'
import type { Deps } from '../http/deps.ts'
import { checked, type RouteDescription } from '../http/mount.ts'

const address = z.strictObject({ '*': z.string().max(1000) })

const folder: RouteDescription = {
  summary: 'The artifacts of this host',
  replies: { 200: artifactsReply },
}
const either: RouteDescription = {
  summary: 'One artifact: the list of a folder, or the bytes of a file',
  params: address,
  replies: { 200: artifactsReply },
}

/** A folder is answered with its list, a file with its bytes; the header `x-openclaw-artifact` says which. */
export function artifactRoutes(app: FastifyInstance, deps: Deps): void {
  async function give(reply: FastifyReply, path: string): Promise<FastifyReply> {
    const artifact = openArtifact(deps.paths.artifacts, path)
    void reply.header('x-openclaw-artifact', artifact.type)
    if (artifact.type === 'directory')
      return await reply.send(
        artifactsReply.parse({ ok: true, path: artifact.path, entries: artifact.entries }),
      )
    // What lies in there was written by programs under test: it is shown, never run.
    void reply
      .header('content-security-policy', "default-src 'none'; sandbox")
      .header('content-length', artifact.size)
      .type(artifact.contentType)
    return await reply.send(artifact.stream)
  }
  app.get(hostdPaths.artifacts, { config: { description: folder } }, async (request, reply) => {
    checked(z.strictObject({}), request.query, 'query')
    return await give(reply, '')
  })
  app.get(hostdPaths.artifact, { config: { description: either } }, async (request, reply) => {
    checked(z.strictObject({}), request.query, 'query')
    return await give(reply, checked(address, request.params, 'address')['*'])
  })
}

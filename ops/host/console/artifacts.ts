// Routes of the artifacts folder: proof is served from the folder itself.
import { hostdPaths } from '#shared/hostd-paths'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { adminTokenHeader, artifactsReply } from '#shared/api'
import { Problem } from '#shared/errors'
import { openArtifact } from '#ops/base/files/artifacts'
import { probeApi } from '#ops/host/hostd-client/probe'
import { getOverSocket } from './hostd-socket.ts'

/** A cheap route of hostd that needs the token: its answer says whether the caller may read anything. */
const confirmPath = hostdPaths.maintenance

/** The routes; each request is answered only after hostd has confirmed the caller's token (docs/SECURITY.md). */
export function artifactRoutes(
  app: FastifyInstance,
  {
    artifacts,
    hostdUrl,
    hostdSocket,
  }: { artifacts: string; hostdUrl: string; hostdSocket?: string },
): void {
  const handle = async (
    request: FastifyRequest<{ Params: { '*'?: string } }>,
    reply: FastifyReply,
  ): Promise<FastifyReply> => {
    const header = request.headers[adminTokenHeader]
    const token = typeof header === 'string' ? header : undefined
    const confirmed =
      hostdSocket === undefined
        ? await probeApi({
            base: hostdUrl,
            path: confirmPath,
            ...(token === undefined ? {} : { token }),
          })
        : await getOverSocket(hostdSocket, confirmPath, token)
    if (confirmed.status !== 200)
      return reply
        .code(confirmed.status)
        .type('application/json; charset=utf-8')
        .send(confirmed.text)
    if (Object.keys(request.query as object).length > 0)
      throw new Problem('invalid_request', 'Artifacts are named by their path, not by a query.')
    const artifact = openArtifact(artifacts, request.params['*'] ?? '')
    void reply.header('x-openclaw-artifact', artifact.type).header('cache-control', 'no-store')
    if (artifact.type === 'directory')
      return reply.send(
        artifactsReply.parse({ ok: true, path: artifact.path, entries: artifact.entries }),
      )
    // The files were written by programs under test: the browser shows them and never runs them.
    return reply
      .header('content-security-policy', "default-src 'none'; sandbox")
      .header('content-length', artifact.size)
      .type(artifact.contentType)
      .send(artifact.stream)
  }
  app.get(hostdPaths.artifacts, handle)
  app.get(hostdPaths.artifact, handle)
}

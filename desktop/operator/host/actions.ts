import { artifactsReply, cancelReply, execReply, runReply, runsReply } from '#shared/api'
import type { z } from 'zod'
import type { Input, Output, procedures } from '#shared/bridge'
import { Problem } from '#shared/errors'
import { requireSameRun } from '#shared/join'
import { askHost, askHostJson, LaneBusy, readHead, readJsonReply, type HostTarget } from './http.ts'
import { maxShownBytes } from '../base/text-file.ts'

/**
 * Starts an action, or joins the same one (`requireSameRun`).
 * @throws {Problem} `lane_busy` when another action of the lane runs, or the same one with other parameters
 */
export async function execOnHost(
  target: HostTarget,
  { action, params }: Input<'host.exec'>,
): Promise<Output<'host.exec'>> {
  try {
    const { run_id } = await askHostJson(
      target,
      { method: 'POST', path: '/api/exec', body: { action, ...(params ? { params } : {}) } },
      execReply,
    )
    return { run_id, joined: false }
  } catch (error) {
    if (!(error instanceof LaneBusy)) throw error
    const { run } = await readRun(target, error.active.active_run_id)
    requireSameRun({ action, params }, run)
    return { run_id: run.run_id, joined: true }
  }
}

export const listRuns = (
  target: HostTarget,
  query: z.output<(typeof procedures)['host.runs']['input']>,
): Promise<Output<'host.runs'>> =>
  askHostJson(
    target,
    {
      path: '/api/runs',
      query: {
        cursor: query.cursor,
        limit: query.limit,
        action: query.action,
        status: query.status,
      },
    },
    runsReply,
  )

export const readRun = (target: HostTarget, id: string): Promise<Output<'host.run'>> =>
  askHostJson(target, { path: '/api/runs', query: { id } }, runReply)

/** hostd answers when the whole tree has ended, which it gives 10 s before it kills and at most 40 s in all; milliseconds. */
const cancelMs = 60_000

export async function cancelRun(target: HostTarget, id: string): Promise<void> {
  await askHostJson(
    target,
    { method: 'POST', path: `/api/runs/${id}/cancel`, body: {}, timeoutMs: cancelMs },
    cancelReply,
  )
}

/** A path below the artifacts of the host; hostd decides what may be read, this keeps it below `/api/artifacts/`. */
function artifactUrl(path: string): string {
  const parts = path.split('/').filter((part) => part !== '')
  if (parts.some((part) => part === '.' || part === '..'))
    throw new Problem('not_found', `There is no artifact ${JSON.stringify(path)}.`)
  return ['/api/artifacts', ...parts.map(encodeURIComponent)].join('/')
}

/** hostd answers a folder with its list and a file with its bytes; this header says which. */
async function askArtifact(
  target: HostTarget,
  path: string,
  wanted: 'file' | 'directory',
): Promise<Response> {
  const reply = await askHost(target, { path: artifactUrl(path), timeoutMs: 30_000 })
  if (reply.headers.get('x-openclaw-artifact') === wanted) return reply
  await reply.body?.cancel()
  throw new Problem(
    'not_found',
    `${JSON.stringify(path)} is not a ${wanted === 'file' ? 'file' : 'folder'} of the artifacts.`,
  )
}

/** @throws {Problem} `not_found` when it is no folder */
export async function listArtifacts(
  target: HostTarget,
  path: string,
): Promise<Output<'host.artifacts'>> {
  const request = { path: artifactUrl(path) }
  return readJsonReply(
    target,
    request,
    await askArtifact(target, path, 'directory'),
    artifactsReply,
  )
}

/** The head of an artifact, as text. @throws {Problem} `not_found` when it is no file */
export const readArtifact = async (
  target: HostTarget,
  path: string,
): Promise<Output<'host.artifact'>> =>
  readHead(target, await askArtifact(target, path, 'file'), maxShownBytes)

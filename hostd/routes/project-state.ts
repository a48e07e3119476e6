import { hostdPaths } from '#shared/hostd-paths'
import type { FastifyInstance } from 'fastify'
import type { z } from 'zod'
import { projectStateReply } from '#shared/api'
import { toProblem } from '#shared/errors'
import { projectState } from '#shared/result'
import { readJson } from '#ops/base/files/json-file'
import type { Deps } from '../http/deps.ts'
import { mount } from '../http/mount.ts'

/** Read each time: the deploy reads its own state back through this. */
export function readProjectState(file: string): z.input<typeof projectStateReply> {
  try {
    const state = readJson(file, projectState, 'state_invalid') ?? null
    return { ok: state !== null, state, unreadable: null }
  } catch (error) {
    return { ok: false, state: null, unreadable: toProblem(error).message }
  }
}

export function projectStateRoutes(app: FastifyInstance, deps: Deps): void {
  mount(app, {
    method: 'GET',
    url: hostdPaths.projectState,
    summary: 'The state that the last green deploy left',
    replies: { 200: projectStateReply },
    handle: () => readProjectState(deps.paths.projectState),
  })
}

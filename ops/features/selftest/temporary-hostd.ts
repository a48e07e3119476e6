import { hostdPaths } from '#shared/hostd-paths'
import { spawn } from 'node:child_process'
import { once as event } from 'node:events'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { z } from 'zod'
import { adminTokenHeader } from '#shared/api'
import { parseJson, writeJson } from '#ops/base/files/json-file'
import { LineSplitter } from '#ops/base/process/lines'
import { hostPaths, hostPathsEnv, type HostPaths } from '#ops/base/paths/paths'
import { installRoot, programArgv } from '#ops/base/process/program'
import type { Workspace } from './workspace.ts'
import type { Attempt } from './violation.ts'

const ready = z.looseObject({ ready: z.literal(true), url: z.url() })
const answer = z.looseObject({
  ok: z.boolean(),
  error_class: z.string().optional(),
  detail: z.string().optional(),
})

export interface HostdRequest {
  readonly method?: string
  readonly path: string
  /** Names and values in turn, exactly as sent. The Host header is added unless it is given. */
  readonly headers?: readonly string[]
  readonly body?: unknown
}

/** A real hostd with separate folders and a separate token, on a loopback port that the system chose. */
export interface TemporaryHostd {
  readonly paths: HostPaths
  readonly token: string
  readonly request: (request: HostdRequest) => Attempt
  readonly stop: () => Promise<void>
}

/** Environment of a hostd in the folder `name` of the workspace. Its actions run a program that does nothing. */
export function hostdEnv(
  workspace: Workspace,
  name: string,
  token: string,
): { paths: HostPaths; env: Record<string, string> } {
  const paths = hostPaths({
    OPENCLAW_ROOT: workspace.sub(name, 'root'),
    OPENCLAW_ETC: workspace.sub(name, 'etc'),
    OPENCLAW_STATE: workspace.sub(name, 'state'),
    OPENCLAW_SOCKETS: join(workspace.folder, name, 'sockets'),
  })
  const install = workspace.sub(name, 'install')
  mkdirSync(join(install, 'ops'))
  copyFileSync(join(installRoot(), 'package.json'), join(install, 'package.json'))
  // Instead of HQ's command: what hostd accepts is started and changes nothing.
  writeFileSync(join(install, 'ops', 'main.ts'), '')
  mkdirSync(paths.artifacts, { recursive: true })
  writeFileSync(join(workspace.sub(name, 'etc', 'secrets'), 'openclaw_admin_token'), `${token}\n`, {
    mode: 0o600,
  })
  writeJson(paths.hostSettings, { name: 'selftest' })
  return {
    paths,
    env: {
      ...workspace.env,
      ...hostPathsEnv(paths),
      OPENCLAW_HQ_INSTALL: install,
      OPENCLAW_HOSTD_PORT: '0',
    },
  }
}

/** @throws {Error} when it does not start, with its output */
export async function startTemporaryHostd(
  workspace: Workspace,
  token: string,
  signal: AbortSignal,
): Promise<TemporaryHostd> {
  const { paths, env } = hostdEnv(workspace, 'hostd', token)
  const [program, ...args] = programArgv('hostd')
  const child = spawn(program, args, { cwd: '/', env, stdio: ['ignore', 'pipe', 'pipe'], signal })
  child.on('error', () => undefined) // an abort; the code below reports that it did not start
  const exited = event(child, 'exit')
  const said = text(child.stderr)
  const line = await Promise.race([
    new Promise<string>((resolve) => {
      const lines = new LineSplitter(resolve)
      child.stdout.on('data', (chunk: Buffer) => lines.push(chunk))
    }),
    exited.then(() => null),
  ])
  if (line === null) throw new Error(`hostd did not start: ${(await said).slice(-1000)}`)
  const { url } = parseJson(line, ready, {
    errorClass: 'internal_error',
    origin: 'The first line of hostd',
  })
  return {
    paths,
    token,
    request: (sent) => async () => {
      const { status, body } = await send(url, sent)
      // A file is sent as it is; everything else, and every refusal, is a document.
      if (status === 200 && sent.path.startsWith(hostdPaths.artifacts))
        return { accepted: true, said: `answered 200: ${body.slice(0, 80)}` }
      const { ok, error_class, detail } = parseJson(body, answer, {
        errorClass: 'internal_error',
        origin: `hostd's answer ${status}`,
      })
      return ok && status < 300
        ? { accepted: true, said: `answered ${status}` }
        : {
            accepted: false,
            refusal: `${error_class ?? 'no class'} (${status})`,
            said: detail ?? '',
          }
    },
    stop: async () => {
      child.kill('SIGTERM')
      await exited
    },
  }
}

/** Sends a request exactly as given: a client library would change doubled headers and unusual paths. */
function send(
  url: string,
  { method = 'GET', path, headers = [], body }: HostdRequest,
): Promise<{ status: number; body: string }> {
  const { hostname, port, host } = new URL(url)
  const all = [
    ...headers,
    ...(headers.some((name, at) => at % 2 === 0 && name.toLowerCase() === 'host')
      ? []
      : ['Host', host]),
    ...(body === undefined ? [] : ['Content-Type', 'application/json']),
  ]
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: hostname,
        port,
        method,
        path,
        headers: all,
        setHost: false,
        agent: false,
        timeout: 15_000,
      },
      (reply) => {
        text(reply).then(
          (content) => resolve({ status: reply.statusCode ?? 0, body: content }),
          reject,
        )
      },
    )
    outgoing.on('timeout', () => outgoing.destroy(new Error('hostd gave no answer within 15 s')))
    outgoing.on('error', reject)
    outgoing.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

/** The header with the admin token. */
export const withToken = (token: string): readonly string[] => [adminTokenHeader, token]

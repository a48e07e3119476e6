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
import type { Place } from './workspace.ts'
import type { Attempt } from './violation.ts'

const ready = z.looseObject({ ready: z.literal(true), url: z.url() })
const answer = z.looseObject({
  ok: z.boolean(),
  error_class: z.string().optional(),
  detail: z.string().optional(),
})

export interface Ask {
  readonly method?: string
  readonly path: string
  /** Name and value in turn, as they go on the wire; the Host header is added unless it is there. */ readonly headers?: readonly string[]
  readonly body?: unknown
}

/** A real hostd with folders and a token of its own, on a loopback port that the system chose. */
export interface TemporaryHostd {
  readonly paths: HostPaths
  readonly token: string
  readonly ask: (ask: Ask) => Attempt
  readonly stop: () => Promise<void>
}

/** Environment of a hostd in `name` of the place. Its actions run a program that does nothing. */
export function hostdEnv(
  place: Place,
  name: string,
  token: string,
): { paths: HostPaths; env: Record<string, string> } {
  const paths = hostPaths({
    OPENCLAW_ROOT: place.sub(name, 'root'),
    OPENCLAW_ETC: place.sub(name, 'etc'),
    OPENCLAW_STATE: place.sub(name, 'state'),
    OPENCLAW_SOCKETS: join(place.folder, name, 'sockets'),
  })
  const install = place.sub(name, 'install')
  mkdirSync(join(install, 'ops'))
  copyFileSync(join(installRoot(), 'package.json'), join(install, 'package.json'))
  // Where HQ's own command would be: what hostd admits is started, and changes nothing.
  writeFileSync(join(install, 'ops', 'main.ts'), '')
  mkdirSync(paths.artifacts, { recursive: true })
  writeFileSync(join(place.sub(name, 'etc', 'secrets'), 'openclaw_admin_token'), `${token}\n`, {
    mode: 0o600,
  })
  writeJson(paths.hostSettings, { name: 'selftest' })
  return {
    paths,
    env: {
      ...place.env,
      ...hostPathsEnv(paths),
      OPENCLAW_HQ_INSTALL: install,
      OPENCLAW_HOSTD_PORT: '0',
    },
  }
}

/** @throws {Error} when it does not come up, with its own words */
export async function startTemporaryHostd(
  place: Place,
  token: string,
  signal: AbortSignal,
): Promise<TemporaryHostd> {
  const { paths, env } = hostdEnv(place, 'hostd', token)
  const [program, ...args] = programArgv('hostd')
  const child = spawn(program, args, { cwd: '/', env, stdio: ['ignore', 'pipe', 'pipe'], signal })
  child.on('error', () => undefined) // an abort; the line below says that it did not come up
  const exited = event(child, 'exit')
  const said = text(child.stderr)
  const line = await Promise.race([
    new Promise<string>((resolve) => {
      const lines = new LineSplitter(resolve)
      child.stdout.on('data', (chunk: Buffer) => lines.push(chunk))
    }),
    exited.then(() => null),
  ])
  if (line === null) throw new Error(`hostd did not come up: ${(await said).slice(-1000)}`)
  const { url } = parseJson(line, ready, {
    errorClass: 'internal_error',
    origin: 'What hostd said first',
  })
  return {
    paths,
    token,
    ask: (ask) => async () => {
      const { status, body } = await send(url, ask)
      // A file is given as it is; everything else, and every refusal, is a document.
      if (status === 200 && ask.path.startsWith('/api/artifacts'))
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

/** Written by hand: a client would tidy up doubled headers and odd paths. */
function send(
  url: string,
  { method = 'GET', path, headers = [], body }: Ask,
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
    const asked = request(
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
    asked.on('timeout', () => asked.destroy(new Error('hostd gave no answer within 15 s')))
    asked.on('error', reject)
    asked.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

/** The header with the admin token. */
export const withToken = (token: string): readonly string[] => [adminTokenHeader, token]

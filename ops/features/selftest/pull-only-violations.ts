import { randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import { runCommand } from '#ops/base/process/command'
import { provePullOnly } from '#ops/features/deploy/index'
import { parseJson } from '#ops/base/files/json-file'
import { hostPaths, hostPathsEnv } from '#ops/base/paths/paths'
import { programArgv } from '#ops/base/process/program'
import { attempting, once, type Attempt, type Violation, type ViolationGroup } from './violation.ts'
import type { Workspace } from './workspace.ts'
import { branch, type Repositories } from './repositories.ts'

/** One line of git's protocol: its length in four hex digits, then the text. */
const packet = (line: string): string =>
  `${(Buffer.byteLength(line) + 4).toString(16).padStart(4, '0')}${line}`

/** The reference advertisement of a remote (gitprotocol-http(5), version 0): enough to fetch, and to try a push. */
function advertisement(service: string, commit: string): string {
  const capabilities =
    service === 'git-receive-pack' ? 'report-status delete-refs ofs-delta' : 'ofs-delta'
  const ref = packet(`${commit} refs/heads/${branch}\0${capabilities}\n`)
  return `${packet(`# service=${service}\n`)}0000${ref}0000`
}

interface Remote {
  readonly url: (user?: string) => string
  readonly close: () => Promise<void>
}

/** A remote that everybody may read. A push needs the password. */
async function startRemote(commit: string, password: string): Promise<Remote> {
  const given = `Basic ${Buffer.from(`deploy:${password}`).toString('base64')}`
  const server: Server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
    const service = searchParams.get('service') ?? ''
    const pushes = service === 'git-receive-pack'
    if (
      pathname !== '/app.git/info/refs' ||
      !['git-upload-pack', 'git-receive-pack'].includes(service)
    )
      response.writeHead(404).end()
    else if (pushes && request.headers.authorization === undefined)
      response.writeHead(401, { 'www-authenticate': 'Basic realm="selftest"' }).end()
    else if (pushes && request.headers.authorization !== given) response.writeHead(403).end()
    else
      response
        .writeHead(200, {
          'content-type': `application/x-${service}-advertisement`,
          'cache-control': 'no-cache',
        })
        .end(advertisement(service, commit))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: (user) => `http://${user === undefined ? '' : `${user}@`}127.0.0.1:${port}/app.git`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

const commandResult = z.looseObject({
  overall: z.enum(['PASS', 'FAIL']),
  error_class: z.string().nullable(),
  detail: z.string().optional(),
})

interface Scene {
  readonly workspace: Workspace
  readonly signal: AbortSignal
  readonly repositories: Repositories
  readonly remote: Remote
}

/** Hosts that can push. */
export const pullOnlyViolations = (made: () => Promise<Repositories>): ViolationGroup => ({
  name: 'pull_only',
  guard: 'The proof that a host only pulls',
  prepare: async (workspace, signal) => {
    const repositories = await made()
    const password = randomBytes(12).toString('hex')
    const remote = await startRemote(repositories.id(branch), password)
    const scene = { workspace, signal, repositories, remote }
    return {
      end: remote.close,
      violations: [
        ...addressViolations(scene, password),
        {
          name: 'git_environment',
          what: 'a pushable remote, with GIT_CONFIG_* that points the proof at another one',
          expected: 'production_can_push',
          control: once(provenByCommand(scene, 'environment-clean', remote.url())),
          attempt: provenByCommand(scene, 'environment', repositories.origin),
        },
      ],
    }
  },
})

function addressViolations(scene: Scene, password: string): Violation[] {
  const { remote, repositories } = scene
  const { origin } = repositories
  const control = once(proven(scene, 'clean', { url: remote.url() }))
  const cases: readonly (Pick<Violation, 'name' | 'what'> & Addresses & { expected?: string })[] = [
    { name: 'pushable', what: 'a remote that accepts a push', url: origin },
    {
      name: 'push_url',
      what: 'a separate push address that accepts a push',
      url: remote.url(),
      pushUrl: origin,
    },
    {
      name: 'password_in_url',
      what: 'an address with the password for a push',
      url: remote.url(`deploy:${password}`),
    },
    {
      name: 'remote_down',
      what: 'a remote that does not answer',
      url: 'http://127.0.0.1:1/app.git',
      expected: 'push_probe_inconclusive',
    },
  ]
  return cases.map(({ name, what, expected = 'production_can_push', ...addresses }) => ({
    name,
    what,
    expected,
    control,
    attempt: proven(scene, name, addresses),
  }))
}

interface Addresses {
  readonly url: string
  readonly pushUrl?: string
}

/** A clone with these addresses of origin. @returns its path */
async function cloneWith(
  { repositories: { git, clone } }: Scene,
  name: string,
  { url, pushUrl }: Addresses,
): Promise<string> {
  const root = clone('pull-only', name)
  await git(root, ['remote', 'set-url', 'origin', url])
  if (pushUrl !== undefined) await git(root, ['remote', 'set-url', '--push', 'origin', pushUrl])
  return root
}

const proven = (scene: Scene, name: string, addresses: Addresses): Attempt =>
  attempting(async () => {
    const root = await cloneWith(scene, name, addresses)
    const run = { signal: scene.signal, log: () => undefined }
    return (await provePullOnly(root, branch, run)).map(({ detail }) => detail).join('; ')
  })

/** Through the command, in an environment that sets the push address. */
const provenByCommand =
  (scene: Scene, name: string, url: string): Attempt =>
  async () => {
    const { workspace, signal, remote } = scene
    const root = await cloneWith(scene, name, { url })
    const env = {
      ...workspace.env,
      ...hostPathsEnv(
        hostPaths({
          OPENCLAW_ROOT: root,
          OPENCLAW_ETC: workspace.sub('pull-only', 'etc'),
          OPENCLAW_STATE: workspace.sub('pull-only', 'state'),
        }),
      ),
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'remote.origin.pushurl',
      GIT_CONFIG_VALUE_0: remote.url(),
    }
    const { stdout } = await runCommand(programArgv('hq', ['assert-pull-only', '--json']), {
      cwd: '/',
      env,
      timeLimitSeconds: 50,
      signal,
      keepStdout: true,
    })
    const result = parseJson(stdout, commandResult, {
      errorClass: 'internal_error',
      origin: 'The answer of hq assert-pull-only',
    })
    return result.overall === 'PASS'
      ? { accepted: true, said: 'it counted as a host that only pulls' }
      : {
          accepted: false,
          refusal: result.error_class ?? 'no class',
          said: result.detail ?? '',
        }
  }

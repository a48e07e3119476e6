import { randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import { runCommand } from '#ops/base/process/command'
import { provePullOnly } from '#ops/features/deploy/index'
import { parseJson } from '#ops/base/files/json-file'
import { hostPaths, hostPathsEnv } from '#ops/base/paths/paths'
import { programArgv } from '#ops/base/process/program'
import { attempt, once, type Attempt, type Group } from './violation.ts'
import { branch, type Repositories } from './repositories.ts'

/** One line of git's protocol: its length in four hex digits, then the text. */
const packet = (line: string): string =>
  `${(Buffer.byteLength(line) + 4).toString(16).padStart(4, '0')}${line}`

/** What a remote says it holds (gitprotocol-http(5), version 0): enough for a reading git, and for a push that is only tried. */
const advertisement = (service: string, commit: string): string =>
  `${packet(`# service=${service}\n`)}0000${packet(`${commit} refs/heads/${branch}\0${service === 'git-receive-pack' ? 'report-status delete-refs ofs-delta' : 'ofs-delta'}\n`)}0000`

/** A remote that everybody may read, and to which only who has the password may push. */
async function startRemote(
  commit: string,
  password: string,
): Promise<{ readonly url: (user?: string) => string; readonly close: () => Promise<void> }> {
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

const said = z.looseObject({
  overall: z.enum(['PASS', 'FAIL']),
  error_class: z.string().nullable(),
  detail: z.string().optional(),
})

/** Can this host push? */
export const pullOnlyPlants = (made: () => Promise<Repositories>): Group => ({
  name: 'pull_only',
  guard: 'The proof that a host only pulls',
  make: async (place, signal) => {
    const { origin, id, git, clone: copy } = await made()
    const password = randomBytes(12).toString('hex')
    const remote = await startRemote(id(branch), password)
    const clone = async (name: string, url: string, pushUrl?: string): Promise<string> => {
      const root = copy('pull-only', name)
      await git(root, ['remote', 'set-url', 'origin', url])
      if (pushUrl !== undefined) await git(root, ['remote', 'set-url', '--push', 'origin', pushUrl])
      return root
    }
    const proven = (name: string, url: string, pushUrl?: string) =>
      attempt(async () =>
        (
          await provePullOnly(await clone(name, url, pushUrl), branch, {
            signal,
            log: () => undefined,
          })
        )
          .map(({ detail }) => detail)
          .join('; '),
      )
    /** Through the command, in an environment that says where git should push. */
    const command =
      (name: string, url: string): Attempt =>
      async () => {
        const root = await clone(name, url)
        const env = {
          ...place.env,
          ...hostPathsEnv(
            hostPaths({
              OPENCLAW_ROOT: root,
              OPENCLAW_ETC: place.sub('pull-only', 'etc'),
              OPENCLAW_STATE: place.sub('pull-only', 'state'),
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
        const {
          overall,
          error_class,
          detail = '',
        } = parseJson(stdout, said, {
          errorClass: 'internal_error',
          origin: 'The answer of hq assert-pull-only',
        })
        return overall === 'PASS'
          ? { accepted: true, said: 'it was taken for a host that only pulls' }
          : { accepted: false, refusal: error_class ?? 'no class', said: detail }
      }
    const control = once(proven('clean', remote.url()))
    return {
      end: remote.close,
      plants: [
        {
          name: 'pushable',
          planted: 'a remote that takes a push',
          expected: 'production_can_push',
          control,
          plant: proven('pushable', origin),
        },
        {
          name: 'push_url',
          planted: 'a push address of its own that takes a push',
          expected: 'production_can_push',
          control,
          plant: proven('push-url', remote.url(), origin),
        },
        {
          name: 'password_in_url',
          planted: 'a password in the address with which a push is taken',
          expected: 'production_can_push',
          control,
          plant: proven('password', remote.url(`deploy:${password}`)),
        },
        {
          name: 'remote_down',
          planted: 'a remote that does not answer',
          expected: 'push_probe_inconclusive',
          control,
          plant: proven('down', 'http://127.0.0.1:1/app.git'),
        },
        {
          name: 'git_environment',
          planted: 'a pushable remote, and GIT_CONFIG_* that leads the proof elsewhere',
          expected: 'production_can_push',
          control: once(command('environment-clean', remote.url())),
          plant: command('environment', origin),
        },
      ],
    }
  },
})

// What the console's container image is made of.
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { HostSettings } from '#shared/config'
import { Problem } from '#shared/errors'
import { treeDigest } from '#ops/base/files/tree-digest'
import { writeJson } from '#ops/base/files/json-file'
import type { HostPaths } from '#ops/base/paths/paths'
import { programFiles } from './image-files.ts'
import { containerPaths, type ImageSettings } from './image-settings.ts'

const program = 'ops/console/container.ts'
/** The user inside the container; the group is the one that may open hostd's socket. */
const user = 65532

const dockerfile = `ARG BASE_IMAGE
FROM \${BASE_IMAGE}
ENV NODE_ENV=production OPENCLAW_HQ_INSTALL=${containerPaths.install}
WORKDIR ${containerPaths.install}
COPY modules ./
COPY hq ./
USER ${user}:${user}
CMD ["node", "${containerPaths.install}/${program}"]
`

/** Requests the console's own health route, with nothing but what is in the image. */
const healthProgram = [
  "const { get } = require('node:http')",
  "const { readFileSync } = require('node:fs')",
  `const { port } = JSON.parse(readFileSync('${containerPaths.install}/console.json', 'utf8'))`,
  "const headers = { host: '127.0.0.1:' + port }",
  `const url = 'http://127.0.0.1:${containerPaths.port}/health'`,
  'const end = (answer) => process.exit(answer.statusCode === 200 ? 0 : 1)',
  "get(url, { headers, timeout: 4000 }, end).on('error', () => process.exit(1))",
].join('; ')

/** The compose file, as JSON, which is YAML too. @param group group id that may open hostd's socket */
export const consoleCompose = (
  settings: HostSettings,
  { artifacts, socketFolder, group }: { artifacts: string; socketFolder: string; group: number },
): object => ({
  services: {
    console: {
      build: { context: '.', args: { BASE_IMAGE: settings.base_image } },
      user: `${user}:${group}`,
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      restart: 'unless-stopped',
      init: false,
      ports: [
        {
          mode: 'ingress',
          host_ip: '127.0.0.1',
          target: containerPaths.port,
          published: String(settings.console_port),
          protocol: 'tcp',
        },
      ],
      volumes: [
        {
          type: 'bind',
          source: socketFolder,
          target: containerPaths.socketFolder,
          read_only: true,
          bind: { create_host_path: false },
        },
        {
          type: 'bind',
          source: artifacts,
          target: containerPaths.artifacts,
          read_only: true,
          bind: { create_host_path: false },
        },
      ],
      healthcheck: {
        test: ['CMD', 'node', '-e', healthProgram],
        interval: '5s',
        timeout: '5s',
        retries: 6,
        start_period: '20s',
      },
      mem_limit: '512m',
      pids_limit: 200,
    },
  },
})

/** When everybody may connect, the container's own group is enough; else it is the group that may. */
function groupFor(socket: string): number {
  const { gid, mode } = statSync(socket)
  return (mode & 0o002) === 0 ? gid : user
}

export interface ConsoleImage {
  readonly folder: string
  readonly file: string
  readonly digest: string
}

/**
 * Puts what the console's image is made of into a folder below `base`, named by its digest; the same content
 * is the same folder.
 * @param installed the installation of HQ whose console it is
 * @throws {Problem} `console_build_failed` when the installation is not built or not complete; `hostd_unhealthy` when
 *   hostd has no socket
 */
export function writeConsoleImage(
  installed: string,
  base: string,
  {
    settings,
    paths: { artifacts, publicSocket },
  }: {
    readonly settings: HostSettings
    readonly paths: Pick<HostPaths, 'artifacts' | 'publicSocket'>
  },
): ConsoleImage {
  const page = join('out', 'renderer')
  if (!existsSync(join(installed, page, 'index.html')))
    throw new Problem(
      'console_build_failed',
      `The console of ${installed} is not built: it has no ${page}/index.html. The running version is untouched.`,
    )
  if (!existsSync(publicSocket))
    throw new Problem(
      'hostd_unhealthy',
      `hostd does not serve ${publicSocket}, through which the console's container reaches it. ` +
        'The running version is untouched.',
    )
  const { sources, packages } = programFiles(installed, program)
  const known: ImageSettings = {
    port: settings.console_port,
    hostnames: settings.hostnames,
    console_url: settings.console_url ?? null,
    socket: basename(publicSocket),
  }
  const compose = consoleCompose(settings, {
    artifacts,
    socketFolder: dirname(publicSocket),
    group: groupFor(publicSocket),
  })
  const files = [...sources, 'package.json', page]
  const digest = createHash('sha256')
    .update(treeDigest(installed, [...files, ...packages]))
    .update(JSON.stringify([known, compose, dockerfile]))
    .digest('hex')
  const folder = join(base, `console-${digest.slice(0, 16)}`)
  const image = { folder, file: 'compose.json', digest }
  if (existsSync(folder)) return image

  const fresh = join(base, `.console-${process.pid}`)
  rmSync(fresh, { recursive: true, force: true })
  try {
    const copy = (path: string, part: 'hq' | 'modules'): void => {
      mkdirSync(join(fresh, part, dirname(path)), { recursive: true })
      cpSync(realpathSync(join(installed, path)), join(fresh, part, path), {
        recursive: true,
        dereference: true,
      })
    }
    for (const path of packages) copy(path, 'modules')
    for (const path of files) copy(path, 'hq')
    writeJson(join(fresh, 'hq', 'console.json'), known)
    writeFileSync(join(fresh, 'Dockerfile'), dockerfile)
    writeJson(join(fresh, 'compose.json'), compose)
    renameSync(fresh, folder)
    return image
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true })
    throw error
  }
}

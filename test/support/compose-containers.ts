import type { TestDocker } from './docker.ts'

/** The containers of all projects, as `project/service`. */
export const containerIds = (docker: TestDocker): Record<string, string> =>
  Object.fromEntries(
    docker
      .run(
        'ps',
        '--no-trunc',
        '--format',
        '{{.Label "com.docker.compose.project"}}/{{.Label "com.docker.compose.service"}} {{.ID}}',
      )
      .split('\n')
      .map((line) => line.split(' ') as [string, string]),
  )

interface Inspected {
  HostConfig: Record<string, unknown>
  Config: { User: string }
  Mounts: { Destination: string; RW: boolean }[]
}

/** What Docker says of the container of the console. */
export function consoleContainer(docker: TestDocker): Inspected {
  const [found] = JSON.parse(
    docker.run(
      'inspect',
      docker.run('ps', '--quiet', '--filter', 'label=com.docker.compose.project=openclaw-console'),
    ),
  ) as [Inspected]
  return found
}

/** The program of `web` stops where it is, with its sockets open. */
export function freezeWeb(docker: TestDocker): void {
  docker.run(
    'exec',
    containerIds(docker)['shop/web'] ?? '',
    'node',
    '-e',
    `
    const { readdirSync, readFileSync } = require('node:fs')
    const isServer = (name) => readFileSync('/proc/' + name + '/cmdline', 'utf8').startsWith('node\\0/srv/server.cjs')
    const pids = readdirSync('/proc').filter((name) => Number(name) > 1 && isServer(name))
    for (const pid of pids) process.kill(Number(pid), 'SIGSTOP')`,
  )
}

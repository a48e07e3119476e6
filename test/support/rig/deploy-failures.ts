import type { ErrorClass } from '#shared/errors'
import { webDockerfile, webProgram } from '../docker.ts'
import type { Random } from '../seeded.ts'
import { appPort, type AppVersion, type DeployHost } from './deploy-host.ts'
import { productionPaths as paths } from './host.ts'
import { until } from './patience.ts'
import { packageInside } from './rig.ts'

/** What is expected of the triage, and how the host is repaired afterwards. */
interface Planted {
  /** Part of the text of the first error line, or all of it. */
  readonly says: string
  readonly file?: string
  readonly line?: number
  readonly undo?: () => Promise<unknown>
}

/** A way for a deploy to fail, with the class it must be given. */
export interface DeployFailure {
  readonly name: string
  readonly errorClass: ErrorClass
  readonly step: string
  /** False: the new version had taken over when it failed. */
  readonly before?: false
  readonly plant: (at: DeployHost, random: Random) => Promise<Planted>
}

const extensions = ['ts', 'tsx', 'js', 'mjs', 'c', 'go', 'rs', 'py', 'css'] as const
const sourceFile = (random: Random): string =>
  `src/${random.hex(4)}-part/${random.hex(6)}.${random.pick(extensions)}`
const lineNumber = (random: Random): number => 1 + random.below(4000)
const harmless = [
  'compiled',
  'warning: unused',
  '0 errors in',
  'note: errors are reported below for',
  'ok',
] as const
/** Lines that come before the error in a real log, and look a little like one. */
const noise = (random: Random): string[] =>
  Array.from({ length: random.below(40) }, () => `${random.pick(harmless)} ${random.hex(8)}`)
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
/** A build that prints these lines and ends with this code. */
const buildSaying = (lines: readonly string[], code: number): AppVersion => ({
  config: {
    build: [
      {
        name: 'page',
        argv: ['sh', '-c', `printf '%s\\n' ${lines.map(quoted).join(' ')}; exit ${code}`],
      },
    ],
  },
})

/** A failing build in the form in which one kind of tool reports. */
const build = (
  name: string,
  make: (random: Random) => { lines: string[]; says: string; file?: string; line?: number },
): DeployFailure => ({
  name: `a build that fails: ${name}`,
  errorClass: 'console_build_failed',
  step: 'console_build',
  plant: async (at, random) => {
    const { lines, ...expected } = make(random)
    await at.ship(
      random.hex(8),
      buildSaying([...noise(random), ...lines, ...noise(random)], 1 + random.below(120)),
    )
    return expected
  },
})
const open = (
  name: string,
  web: (random: Random) => { readonly web: object; readonly says: string },
): DeployFailure => ({
  name: `a compose file with ${name}`,
  errorClass: 'public_port',
  step: 'docker_compose',
  plant: async (at, random) => {
    const { web: settings, says } = web(random)
    await at.ship(random.hex(8), { web: settings })
    return { says }
  },
})
const shipped = async (
  at: DeployHost,
  random: Random,
  version: AppVersion,
  expected: Planted,
  message = random.hex(8),
): Promise<Planted> => {
  await at.ship(message, version)
  return expected
}
/** Git in the clone, as the account that it belongs to. */
const cloneGit = async (at: DeployHost, args: readonly string[]): Promise<string> =>
  await at.rig.must(['runuser', '-u', 'openclaw-build', '--', 'git', '-C', paths.root, ...args])
const aPort = (random: Random): number => 20_000 + random.below(9000)
/** Runs a program as a unit of its own, until it listens. */
const listenAs = async (
  { rig }: DeployHost,
  unit: string,
  port: number,
  argv: readonly string[],
): Promise<void> => {
  await rig.must(['systemd-run', '--quiet', `--unit=${unit}`, '--service-type=exec', ...argv])
  await until(
    `${unit} to listen`,
    async () => (await rig.must(['ss', '-Hltn', 'sport', '=', `:${port}`])) !== '',
  )
}

export const deployFailures: readonly DeployFailure[] = [
  build('a type checker', (random) => {
    const [file, line] = [sourceFile(random), lineNumber(random)]
    const says = `${file}(${line},${1 + random.below(80)}): error TS2322: Type 'x' is not assignable.`
    return { lines: [says], says, file, line }
  }),
  build('a compiler', (random) => {
    const [file, line] = [sourceFile(random), lineNumber(random)]
    const says = `${file}:${line}:${1 + random.below(80)}: error: ${random.hex(6)} was not declared`
    return { lines: [says, `${file}:${line + 1}:1: error: another`], says, file, line }
  }),
  build('a bundler', (random) => {
    const [file, line] = [sourceFile(random), lineNumber(random)]
    const says = `${file}:${line}: ERROR: ${random.hex(6)} cannot be resolved`
    return { lines: [says], says, file, line }
  }),
  build('a test runner of Python', (random) => {
    const [file, line] = [`tests/test_${random.hex(4)}.py`, lineNumber(random)]
    const says = `${file}:${line}: AssertionError`
    return { lines: ['E       assert 1 == 2', says], says, file, line }
  }),
  build('an exception with its stack', (random) => {
    const [file, line] = [`/srv/${random.hex(5)}.js`, lineNumber(random)]
    const says = `TypeError: ${random.hex(6)} is not a function`
    return {
      lines: [says, `    at run (${file}:${line}:7)`, '    at node:internal/main:1:1'],
      says,
      file,
      line,
    }
  }),
  build('a package manager', (random) => {
    const says = `npm error code E${random.hex(4).toUpperCase()}`
    return { lines: [says, 'npm error more of it'], says }
  }),
  build('a program that only says so', (random) => {
    const says = `fatal: ${random.hex(8)} is not there`
    return { lines: [says], says }
  }),
  {
    name: 'a build of a program that is not there',
    errorClass: 'console_build_failed',
    step: 'console_build',
    plant: (at, random) => {
      const program = `no-such-${random.hex(6)}`
      return shipped(
        at,
        random,
        { config: { build: [{ name: 'page', argv: [program] }] } },
        { says: program },
      )
    },
  },
  {
    name: 'a build that is ended by a signal',
    errorClass: 'console_build_failed',
    step: 'console_build',
    plant: (at, random) => {
      const signal = random.pick(['KILL', 'SEGV', 'ABRT', 'TERM'])
      return shipped(
        at,
        random,
        { config: { build: [{ name: 'page', argv: ['sh', '-c', `kill -${signal} $$`] }] } },
        { says: `SIG${signal}` },
      )
    },
  },
  {
    name: 'a build that takes too long',
    errorClass: 'console_build_failed',
    step: 'console_build',
    plant: (at, random) =>
      shipped(
        at,
        random,
        { config: { build: [{ name: 'page', argv: ['sleep', '600'], timeout_seconds: 1 }] } },
        { says: 'longer than 1 s' },
      ),
  },
  {
    name: 'an image that copies a file that is not there',
    errorClass: 'docker_compose_failed',
    step: 'docker_compose',
    plant: (at, random) => {
      const file = `${random.hex(6)}.txt`
      return shipped(
        at,
        random,
        { files: { 'web/Dockerfile': `${webDockerfile}COPY ${file} /srv/\n` } },
        { says: file },
      )
    },
  },
  {
    name: 'an image file with an instruction that is none',
    errorClass: 'docker_compose_failed',
    step: 'docker_compose',
    plant: (at, random) => {
      const word = `X${random.hex(5).toUpperCase()}`
      return shipped(
        at,
        random,
        { files: { 'web/Dockerfile': `${webDockerfile}${word} /srv\n` } },
        { says: word },
      )
    },
  },
  {
    name: 'an image whose program ends badly while it is built',
    errorClass: 'docker_compose_failed',
    step: 'docker_compose',
    plant: (at, random) => {
      const word = random.hex(8)
      return shipped(
        at,
        random,
        {
          files: {
            'web/Dockerfile': `${webDockerfile}RUN ["node", "-e", "throw new Error('${word}')"]\n`,
          },
        },
        { says: word },
      )
    },
  },
  {
    name: 'an image of a base that cannot be had',
    errorClass: 'docker_compose_failed',
    step: 'docker_compose',
    plant: (at, random) => {
      const name = random.hex(8)
      return shipped(
        at,
        random,
        { files: { 'web/Dockerfile': `FROM nowhere.invalid/${name}:1\nCMD ["node"]\n` } },
        { says: name },
      )
    },
  },
  {
    name: 'a compose file that is none',
    errorClass: 'docker_compose_failed',
    step: 'docker_compose',
    plant: (at, random) => {
      const word = `x${random.hex(6)}`
      return shipped(
        at,
        random,
        { files: { 'compose.yaml': `services:\n  web:\n    ${word}: 1\n` } },
        { says: word },
      )
    },
  },
  open('a port for everybody', (random) => ({
    web: { ports: [`0.0.0.0:${aPort(random)}:3000`, `127.0.0.1:${appPort}:3000`] },
    says: 'compose.yaml#/services/web/ports/0',
  })),
  open('a range of ports for everybody over IPv6', (random) => {
    const port = aPort(random)
    return {
      web: { ports: [`127.0.0.1:${appPort}:3000`, `[::]:${port}-${port + 3}:4000-4003`] },
      says: 'compose.yaml#/services/web/ports/1',
    }
  }),
  open('a privileged container', () => ({
    web: { privileged: true },
    says: 'compose.yaml#/services/web/privileged',
  })),
  open('a container in the network of the host', () => ({
    web: { network_mode: 'host', ports: [] },
    says: 'compose.yaml#/services/web/network_mode',
  })),
  open('the socket of Docker in a container', () => ({
    web: { volumes: ['/var/run/docker.sock:/var/run/docker.sock'] },
    says: 'compose.yaml#/services/web/volumes/0',
  })),
  {
    name: 'a version that ends at once',
    errorClass: 'service_unhealthy',
    step: 'docker_compose',
    plant: (at, random) => {
      const says = `Error: no ${random.hex(8)} today`
      return shipped(
        at,
        random,
        {
          files: {
            'web/server.cjs': `console.error(${JSON.stringify(says)})\nprocess.exit(${1 + random.below(100)})\n`,
          },
        },
        { says },
      )
    },
  },
  {
    name: 'a version that never gets healthy',
    errorClass: 'service_unhealthy',
    step: 'docker_compose',
    plant: (at, random) => shipped(at, random, {}, { says: 'web' }, 'sick'),
  },
  {
    name: 'a port that another program has',
    errorClass: 'port_in_use',
    step: 'docker_compose',
    plant: async (at, random) => {
      const port = aPort(random)
      await listenAs(at, 'squatter', port, [
        `${packageInside}/node_modules/.bin/node`,
        '-e',
        `require('node:http').createServer().listen(${port}, '127.0.0.1')`,
      ])
      await at.ship(random.hex(8), {
        services: {
          extra: {
            image: 'hq-test-base:24',
            command: ['node', '-e', 'setInterval(() => 0, 1000)'],
            ports: [`127.0.0.1:${port}:80`],
          },
        },
      })
      return {
        says: `127.0.0.1:${port}`,
        undo: async () => await at.rig.must(['systemctl', 'stop', 'squatter']),
      }
    },
  },
  {
    name: 'a key endpoint that says no',
    errorClass: 'endpoint_not_ok',
    step: 'verify_production',
    before: false,
    plant: (at, random) => {
      const path = `/api/${random.hex(6)}`
      return shipped(
        at,
        random,
        {
          files: {
            'web/server.cjs': webProgram.replace(
              "ok: message !== 'sick'",
              `ok: message !== 'sick' && request.url !== ${JSON.stringify(path)}`,
            ),
          },
          config: { endpoints: [{ service: 'web', path }] },
        },
        { says: path },
      )
    },
  },
  {
    name: 'a route that is not there',
    errorClass: 'route_missing',
    step: 'console_route_gate',
    before: false,
    plant: (at, random) => {
      const path = `/api/${random.hex(6)}`
      return shipped(at, random, { config: { routes: [{ path }] } }, { says: path })
    },
  },
  {
    name: 'a commit without a review',
    errorClass: 'unreviewed_commit',
    step: 'git_sync',
    plant: async (at, random) => ({ says: await at.ship(random.hex(8), {}, { reviewed: false }) }),
  },
  {
    name: 'a configuration that is no JSON',
    errorClass: 'config_invalid',
    step: 'git_sync',
    plant: (at, random) =>
      shipped(
        at,
        random,
        { files: { 'openclaw.config.json': `{ "schema_version": 1, ${random.hex(5)}` } },
        { says: 'openclaw.config.json' },
      ),
  },
  {
    name: 'a configuration with a field that nobody knows',
    errorClass: 'config_invalid',
    step: 'git_sync',
    plant: (at, random) => {
      const field = `x${random.hex(6)}`
      return shipped(at, random, { config: { [field]: true } }, { says: field })
    },
  },
  {
    name: 'an origin that does not answer',
    errorClass: 'push_probe_inconclusive',
    step: 'assert_production_pull_only',
    plant: async (at) => {
      const url = (await cloneGit(at, ['remote', 'get-url', 'origin'])).trim()
      await cloneGit(at, ['remote', 'set-url', 'origin', `git://${at.rig.outside}:1/project.git`])
      return {
        says: 'unable to connect',
        undo: async () => await cloneGit(at, ['remote', 'set-url', 'origin', url]),
      }
    },
  },
  {
    name: 'a host that could push',
    errorClass: 'production_can_push',
    step: 'assert_production_pull_only',
    plant: async (at, random) => {
      const [name, port] = [random.hex(6), aPort(random)]
      await at.rig.must([
        'git',
        'clone',
        '--quiet',
        '--bare',
        at.rig.origin.url('project.git'),
        `/srv/${name}.git`,
      ])
      await listenAs(at, 'pushable', port, [
        'git',
        'daemon',
        '--listen=127.0.0.1',
        `--port=${port}`,
        '--reuseaddr',
        '--export-all',
        '--enable=receive-pack',
        '--base-path=/srv',
        '/srv',
      ])
      const url = `git://127.0.0.1:${port}/${name}.git`
      await cloneGit(at, ['remote', 'set-url', '--push', 'origin', url])
      return {
        says: url,
        undo: async () => {
          await cloneGit(at, ['config', '--unset', 'remote.origin.pushurl'])
          await at.rig.must(['systemctl', 'stop', 'pushable'])
        },
      }
    },
  },
  {
    name: 'a trust file that cannot be read',
    errorClass: 'config_invalid',
    step: 'git_sync',
    plant: async (at, random) => {
      await at.rig.write(
        paths.trustFile,
        `{ "schema_version": 1, "baseline": "${random.hex(39)}" }`,
      )
      return {
        says: 'baseline',
        undo: async () => await at.rig.write(paths.trustFile, JSON.stringify(at.laptop.trust)),
      }
    },
  },
  {
    name: 'a Docker that is not running',
    errorClass: 'docker_unreachable',
    step: 'docker_compose',
    before: false,
    plant: async (at, random) => {
      await at.ship(random.hex(8))
      await at.rig.must(['systemctl', 'stop', 'docker.socket', 'docker.service'])
      return {
        says: 'docker.sock',
        undo: async () =>
          await at.rig.must(['systemctl', 'start', 'docker.socket', 'docker.service']),
      }
    },
  },
  {
    name: 'a state file that cannot be read',
    errorClass: 'state_invalid',
    step: 'verify_production',
    before: false,
    plant: async (at, random) => {
      await at.ship(random.hex(8))
      const before = await at.rig.must(['cat', paths.projectState])
      await at.rig.write(
        paths.projectState,
        before.slice(0, 1 + random.below(before.length - 2)),
        0o644,
      )
      return {
        says: 'project_state.json',
        undo: async () => await at.rig.write(paths.projectState, before, 0o644),
      }
    },
  },
  {
    name: 'a state file that cannot be replaced',
    errorClass: 'state_not_written',
    step: 'update_project_state',
    before: false,
    plant: async (at, random) => {
      await at.ship(random.hex(8))
      await at.rig.must(['mount', '--bind', paths.projectState, paths.projectState]) // nothing can be renamed over it
      return {
        says: 'project_state.json',
        undo: async () => await at.rig.must(['umount', paths.projectState]),
      }
    },
  },
]

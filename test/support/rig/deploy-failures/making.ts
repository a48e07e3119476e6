// How failing deploys are made.
import type { ErrorClass } from '#shared/errors'
import type { Random } from '../../seeded.ts'
import type { AppVersion, DeployHost } from '../deploy-host.ts'
import { productionPaths as paths } from '../host.ts'
import { until } from '../patience.ts'

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
export const sourceFile = (random: Random): string =>
  `src/${random.hex(4)}-part/${random.hex(6)}.${random.pick(extensions)}`
export const lineNumber = (random: Random): number => 1 + random.below(4000)
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
export const build = (
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
export const open = (
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
export const shipped = async (
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
export const cloneGit = async (at: DeployHost, args: readonly string[]): Promise<string> =>
  await at.rig.must(['runuser', '-u', 'openclaw-build', '--', 'git', '-C', paths.root, ...args])
export const aPort = (random: Random): number => 20_000 + random.below(9000)
/** Runs a program as a unit of its own, until it listens. */
export const listenAs = async (
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

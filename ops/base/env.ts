import { delimiter, isAbsolute } from 'node:path'
import { Problem } from '#shared/errors'
import { runIdPattern } from '#shared/ids'

/** The environment: every variable of HQ is declared here, and only this file reads `process.env`. */

export type Environment = Readonly<Record<string, string | undefined>>

interface Variable<T> {
  /** What it is for. */
  readonly meaning: string
  /** What a value must be, to follow "must be" in a message. */
  readonly form: string
  /** @returns null for a text that does not have the form */
  readonly parse: (text: string) => T | null
  /** Text that counts where the variable is not set. Without it the value is undefined. */
  readonly fallback?: string
}

const text = { form: 'a text', parse: (value: string): string | null => value }
const folder = {
  form: 'an absolute path',
  parse: (value: string): string | null => (isAbsolute(value) ? value : null),
}
const port = {
  form: 'a port number from 0 to 65535',
  parse: (value: string): number | null =>
    /^\d{1,5}$/.test(value) && Number(value) <= 65535 ? Number(value) : null,
}
const runIdentifier = {
  form: 'the id of a run',
  parse: (value: string): string | null => (runIdPattern.test(value) ? value : null),
}
const descriptor = {
  form: 'the number of an open file descriptor, 3 to 999',
  parse: (value: string): number | null =>
    /^\d{1,3}$/.test(value) && Number(value) >= 3 ? Number(value) : null,
}
const httpAddress = {
  form: 'an http address, such as http://127.0.0.1:8877',
  parse: (value: string): string | null =>
    /^https?:\/\/\S+$/.test(value) && URL.canParse(value) ? value : null,
}

/** Every variable that HQ reads for itself. The names are contract (docs/CONFIGURATION.md). */
export const hqVariables = {
  OPENCLAW_ROOT: {
    ...folder,
    meaning: 'The clone that a host deploys.',
    fallback: '/opt/ai-ops-runner',
  },
  OPENCLAW_ETC: {
    ...folder,
    meaning: 'Settings and secrets of a host.',
    fallback: '/etc/ai-ops-runner',
  },
  OPENCLAW_STATE: {
    ...folder,
    meaning: 'State of a host: releases, services, locks, index.',
    fallback: '/var/lib/ai-ops-runner',
  },
  OPENCLAW_ARTIFACTS: {
    ...folder,
    meaning: 'Proofs and run folders of a host. Not set: `artifacts` below OPENCLAW_ROOT.',
  },
  OPENCLAW_SOCKETS: {
    ...folder,
    meaning: 'Unix sockets of a host.',
    fallback: '/run/openclaw',
  },
  OPENCLAW_HQ_HOME: {
    ...folder,
    meaning:
      'Settings, ship key and witness of a laptop. Not set: the configuration folder of the user.',
  },
  OPENCLAW_HQ_INSTALL: {
    ...text,
    meaning: 'Folder of the installed HQ. Its launcher sets it.',
  },
  OPENCLAW_HOSTD_PORT: {
    ...port,
    meaning: 'Port of hostd on the loopback interface.',
    fallback: '8877',
  },
  OPENCLAW_HOSTD_URL: {
    ...httpAddress,
    meaning: 'Address of hostd for its clients. Not set: OPENCLAW_HOSTD_PORT on 127.0.0.1.',
  },
  OPENCLAW_HOSTD_ADDRESS: {
    ...text,
    meaning: 'Loopback address that hostd binds.',
    fallback: '127.0.0.1',
  },
  OPENCLAW_HOSTD_SOCKET: {
    ...text,
    meaning: 'Path of a unix socket that hostd serves too. Not set: none.',
  },
  OPENCLAW_HOSTD_TAILNET_SOCKET: {
    ...folder,
    meaning:
      'Unix socket that hostd serves for tailscaled, in a folder of its own account alone. ' +
      'For a hostd without systemd. Not set: none.',
  },
  OPENCLAW_TAILSCALE_SOCKET: {
    ...folder,
    meaning: 'Socket of tailscaled on Linux.',
    fallback: '/run/tailscale/tailscaled.sock',
  },
  OPENCLAW_RIG_TAILNET_HTTP: {
    ...text,
    meaning:
      'In the test rig only: 1 publishes hostd to the tailnet over http. ' +
      'Refused on other machines, and where the control server issues certificates.',
  },
  OPENCLAW_ADMIN_TOKEN: {
    ...text,
    meaning: 'Token of a person for hostd. Not set: the token file of the host.',
  },
  OPENCLAW_PRODUCTION: {
    ...text,
    meaning: 'Marks a production host, where no ship may start. Empty and 0 do not.',
  },
  OPENCLAW_HQ_DEMO: { ...text, meaning: '1 in the demo: secrets are kept in the sandbox.' },
  OPENCLAW_CHROMIUM: {
    ...folder,
    meaning:
      'Browser for signing in to a connector, and for the tests. Not set: an installed Chrome, Edge or Chromium.',
  },
  OPENCLAW_ELECTRON: { ...text, meaning: 'Electron program for the window of the demo.' },
  OPENCLAW_RUN_ID: {
    ...runIdentifier,
    meaning: 'Run that a process belongs to. Marks each process that a run starts.',
  },
  OPENCLAW_DEPLOY_RUN_ID: {
    ...runIdentifier,
    meaning: 'Deploy on whose behalf a doctor runs.',
  },
  OPENCLAW_DEPLOY_ATTEMPT: {
    ...text,
    meaning: 'Attempt of a deploy, `<run id>/<number>`. Marks each process of the attempt.',
  },
  OPENCLAW_DEPLOY_SETTINGS: {
    ...text,
    meaning: 'Settings files of the host as a run read them, for the processes it starts.',
  },
  OPENCLAW_EVENTS_FD: {
    ...descriptor,
    meaning: 'Descriptor to which a command writes its events. The runner sets it.',
  },
  OPENCLAW_SHIP_KEY_FD: {
    ...descriptor,
    meaning: 'Descriptor from which `hq ship` reads the ship key. HQ sets it.',
  },
  OPENCLAW_UNIT: { ...text, meaning: 'Unit that systemd started this process as.' },
  PORT: {
    ...port,
    meaning: 'Port of the console. Not set: console_port of host.json.',
  },
} as const satisfies Readonly<Record<string, Variable<unknown>>>

export type HqVariable = keyof typeof hqVariables

type Parsed<N extends HqVariable> = NonNullable<ReturnType<(typeof hqVariables)[N]['parse']>>
type Value<N extends HqVariable> = (typeof hqVariables)[N] extends { readonly fallback: string }
  ? Parsed<N>
  : Parsed<N> | undefined

/**
 * The value of one variable.
 * @param env read instead of the environment of this process
 * @returns undefined when it is not set and has no default
 * @throws {Problem} `config_invalid` that names the variable, its form and the remedy
 */
export function envValue<N extends HqVariable>(
  name: N,
  env: Environment = wholeEnvironment(),
): Value<N> {
  const variable: Variable<Parsed<N>> = hqVariables[name] as unknown as Variable<Parsed<N>>
  const given = env[name] ?? variable.fallback
  if (given === undefined) return undefined as Value<N>
  const value = variable.parse(given)
  if (value !== null) return value
  const remedy =
    variable.fallback === undefined
      ? 'Correct the variable or unset it.'
      : `Correct the variable or unset it: the default is ${variable.fallback}.`
  throw new Problem(
    'config_invalid',
    `The environment variable ${name} must be ${variable.form}, not ${JSON.stringify(given)}. ${remedy} ` +
      'Nothing was started.',
  )
}

/** The whole environment of this process, to hand on to a child or to judge it as a ship does. */
export const wholeEnvironment = (): Environment => process.env

/** Those of `names` that are set. For variables of other programs (PATH, proxies, the desktop session). */
export const inheritedVariables = (names: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name]
      return value === undefined ? [] : [[name, value] as const]
    }),
  )

/**
 * Node's compile cache, where the operator has one: half the CPU of a start. For HQ's own programs only, never for a
 * build: who may write the cache decides what runs.
 */
export const compileCache = (): Record<string, string> => inheritedVariables(['NODE_COMPILE_CACHE'])

const standardPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/**
 * Folders in which programs are found, also where nobody set PATH. A relative one would be a folder of whatever a
 * program works in.
 */
export const searchPath = (keep: (folder: string) => boolean = () => true): string =>
  // An empty PATH would mean the working directory.
  (process.env['PATH'] ?? standardPath)
    .split(delimiter)
    .filter((folder) => isAbsolute(folder) && keep(folder))
    .join(delimiter) || standardPath

/** The least that a program gets whose environment is built from nothing. */
export const minimalEnv = (): Record<string, string> => ({
  PATH: searchPath(),
  HOME: process.env['HOME'] ?? '/',
  LANG: 'C.UTF-8',
})

/** Sets variables of this process, and so of every child that inherits them. */
export function setVariables(values: Readonly<Record<string, string>>): void {
  Object.assign(process.env, values)
}

/** Removes the variables whose name passes `test`. @returns those that were removed */
export function removeVariables(test: (name: string) => boolean): Record<string, string> {
  const removed = inheritedVariables(Object.keys(process.env).filter(test))
  for (const name of Object.keys(removed)) delete process.env[name]
  return removed
}

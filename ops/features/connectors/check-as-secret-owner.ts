import { z } from 'zod'
import { connectorNames, type ConnectorName } from '#shared/connectors/list'
import { connectorReport, connectorReports, type ConnectorReport } from '#shared/connectors'
import { Problem } from '#shared/errors'
import { baseEnv, runCommand } from '#ops/base/process/command'
import { parseJson } from '#ops/base/files/json-file'
import { hostPathsEnv, type HostPaths } from '#ops/base/paths/paths'
import { programArgv } from '#ops/base/process/program'
import type { RunAs } from '#ops/base/process/run-as'
import {
  passHostFiles,
  readHostFile,
  settingsOf,
  type HostFiles,
} from '#ops/core/config/host-files'
import type { Withdrawal } from './withdraw-connector.ts'
import { connectorAccount } from '#ops/base/paths/connector-paths'

/** Added to the longest time limit of a check for the start and the end of the program, in seconds. */
const startSeconds = 30

/** The account that owns the secrets on an installed host. It can read them and no other secret. */
const account: RunAs = { uid: connectorAccount, gid: connectorAccount, home: '/nonexistent' }

/**
 * Checks the connectors in a separate process. A run on a host is root, and root must not parse what a service
 * answers: the process runs as the account that owns the secrets, without a capability.
 * @returns one report of each, in the order of `connectorNames`
 * @throws {Problem} `config_invalid` for host.json; `cancelled`; `step_timeout`; `action_no_result`
 */
export async function checkConnectorsAsSecretOwner(
  paths: HostPaths,
  signal: AbortSignal,
): Promise<ConnectorReport[]> {
  const stdout = await probe({ paths, signal, file: readHostFile(paths), options: [] })
  return parseJson(stdout, connectorReports, ofCheck)
}

interface OneCheck {
  readonly paths: HostPaths
  readonly signal: AbortSignal
  readonly name: ConnectorName
  /** host.json that the check goes by. */
  readonly file: Pick<HostFiles, 'host'>
  /** Where a new secret waits for its proof, that one is checked and not the one in use. */
  readonly candidates: boolean
}

/** The same for one connector. @throws {Problem} the same */
export async function checkOneAsSecretOwner({
  name,
  candidates,
  ...check
}: OneCheck): Promise<ConnectorReport> {
  const options = [`--only=${name}`, ...(candidates ? ['--candidates'] : [])]
  return parseJson(await probe({ ...check, options }), z.tuple([connectorReport]), ofCheck)[0]
}

const withdrawal = z.strictObject({ done: z.boolean().nullable(), detail: z.string() })

/** Has the service of a connector forget the secret in use, in the same process. @throws {Problem} the same */
export async function withdrawAsSecretOwner(
  request: Omit<OneCheck, 'candidates'>,
): Promise<Withdrawal> {
  const options = [`--only=${request.name}`, '--withdraw']
  return parseJson(await probe({ ...request, options }), withdrawal, ofCheck)
}

const ofCheck = {
  errorClass: 'action_no_result',
  origin: 'The result of the check of the connectors',
} as const

interface Probe extends Pick<OneCheck, 'paths' | 'signal' | 'file'> {
  readonly options: readonly string[]
}

/** @returns what the process printed @throws {Problem} as above */
async function probe({ paths, signal, file, options }: Probe): Promise<string> {
  const settings = settingsOf(file, paths)
  const asRoot = settings.launcher === 'systemd' && process.getuid?.() === 0
  const longest = Math.max(...connectorNames.map((name) => settings[name].timeout_seconds))
  const { exitCode, timedOut, stdout, stderrTail } = await runCommand(
    programArgv('hq', ['connectors', '--probe', ...options]),
    {
      cwd: '/',
      // The process checks by the settings that were read here, whatever host.json says by then.
      env: baseEnv({
        ...hostPathsEnv(paths),
        ...passHostFiles({ ...file, trust: null, ship_keys: null }),
      }),
      timeLimitSeconds: longest + startSeconds,
      signal,
      keepStdout: true,
      ...(asRoot ? { as: account } : {}),
    },
  )
  if (timedOut)
    throw new Problem(
      'step_timeout',
      'The check of the connectors exceeded its time limit and was stopped.',
    )
  if (exitCode !== 0)
    throw new Problem(
      'action_no_result',
      `The check of the connectors ended with exit code ${String(exitCode)} and without a result.`,
      { evidence: stderrTail.split('\n') },
    )
  return stdout
}

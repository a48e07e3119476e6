import { connectorReports, type ConnectorReport } from '#shared/connectors'
import { Problem } from '#shared/errors'
import { baseEnv, runCommand } from '#ops/base/process/command'
import { parseJson } from '#ops/base/files/json-file'
import { hostPathsEnv, type HostPaths } from '#ops/base/paths/paths'
import { programArgv } from '#ops/base/process/program'
import type { RunAs } from '#ops/base/process/run-as'
import { readHostSettings } from '#ops/core/config/settings-files'
import { connectorAccount } from '#ops/base/paths/connector-paths'

/** Over the longest look itself, for the start and end of the program, in seconds. */
const startSeconds = 30

/** Whose the secrets are on an installed host. It may read them, and nothing else that is anybody's. */
const account: RunAs = { uid: connectorAccount, gid: connectorAccount, home: '/nonexistent' }

/**
 * Has both connectors looked at by a process of its own. A run is root on a host, and what Kajabi and Gmail answer is not
 * to be taken apart by root: that process is the account whom the secrets belong to, without a capability.
 *
 * @returns one report of each, in the order of `connectorNames`
 * @throws {Problem} `config_invalid` for host.json; `cancelled`; `step_timeout`; `action_no_result`
 */
export async function askConnectors(
  paths: HostPaths,
  signal: AbortSignal,
): Promise<ConnectorReport[]> {
  const { kajabi, gmail, launcher } = readHostSettings(paths)
  const asRoot = launcher === 'systemd' && process.getuid?.() === 0
  const { exitCode, timedOut, stdout, stderrTail } = await runCommand(
    programArgv('hq', ['connectors', '--probe']),
    {
      cwd: '/',
      env: baseEnv(hostPathsEnv(paths)),
      timeLimitSeconds: Math.max(kajabi.timeout_seconds, gmail.timeout_seconds) + startSeconds,
      signal,
      keepStdout: true,
      ...(asRoot ? { as: account } : {}),
    },
  )
  if (timedOut)
    throw new Problem(
      'step_timeout',
      'The look at the connectors did not end in time and was ended.',
    )
  if (exitCode !== 0)
    throw new Problem(
      'action_no_result',
      `The look at the connectors ended with exit code ${String(exitCode)} and found nothing out.`,
      { evidence: stderrTail.split('\n') },
    )
  return parseJson(stdout, connectorReports, {
    errorClass: 'action_no_result',
    origin: 'What the look at the connectors found',
  })
}

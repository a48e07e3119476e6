import type { HostSettings, ProjectConfig } from '#shared/config'
import { envValue, wholeEnvironment, type Environment } from '#ops/base/env'
import { hostdUrl, hostPaths, type HostPaths } from '#ops/base/paths/paths'
import { readHostSettings, readProjectConfig } from '#ops/core/config/settings-files'
import { Problem } from '#shared/errors'

/** What the checks of a host read. Doctor, guard, the port audit and verify share it. */
export interface DoctorContext {
  readonly paths: HostPaths
  readonly settings: HostSettings
  /** The project's configuration in the clone; null when it cannot be used. */
  readonly config: ProjectConfig | null
  /** Why `config` is null. */
  readonly configProblem: string | null
  readonly hostdUrl: string
  readonly hostdPort: number
  readonly consoleUrl: string
  /** The deploy that runs the checks. Maintenance is on for it, and the state still names the deploy before it. */
  readonly deployRunId: string | null
}

export const consoleUrlOf = (settings: HostSettings): string =>
  (settings.console_url ?? `http://127.0.0.1:${settings.console_port}`).replace(/\/$/, '')

/** @throws {Problem} `config_invalid` when host.json is invalid */
export function doctorContext(
  deployRunId: string | null,
  env: Environment = wholeEnvironment(),
  settings: HostSettings = readHostSettings(hostPaths(env)),
): DoctorContext {
  const paths = hostPaths(env)
  const url = hostdUrl(env)
  let config: ProjectConfig | null = null
  let configProblem: string | null = null
  try {
    config = readProjectConfig(paths.root)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    configProblem = error.message
  }
  return {
    paths,
    settings,
    config,
    configProblem,
    hostdUrl: url.replace(/\/$/, ''),
    hostdPort: Number(new URL(url).port) || envValue('OPENCLAW_HOSTD_PORT', env),
    consoleUrl: consoleUrlOf(settings),
    deployRunId,
  }
}

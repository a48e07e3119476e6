import type { HostSettings } from '#shared/config'
import type { HostPaths } from '#ops/base/paths/paths'
import type { LaunchSettings } from '#ops/host/runner/launch'
import type { AuthRules } from './auth.ts'
import type { Log } from '../log/log.ts'
import type { Runs } from '../runs/runs.ts'

/** What hostd's routes work with. No port: the app can be driven without a network. */
export interface Deps {
  readonly paths: HostPaths
  readonly settings: HostSettings
  readonly rules: AuthRules
  readonly runs: Runs
  /** How runners are started. A function, because hostd's own address is known only once it listens. */
  readonly launch: () => LaunchSettings
  readonly version: string
  readonly log: Log
}

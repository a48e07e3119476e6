// Every way for a deploy to fail that the rig plants.
import { failingBuilds } from './failing-builds.ts'
import { failingServices } from './failing-services.ts'
import { failingChecks } from './failing-checks.ts'
import type { DeployFailure } from './making.ts'

export type { DeployFailure } from './making.ts'

export const deployFailures: readonly DeployFailure[] = [
  ...failingBuilds,
  ...failingServices,
  ...failingChecks,
]

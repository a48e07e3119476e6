// The checks of doctor, in the order of its result. A new check is a file in checks/ and a line here. An engine brings
// the checks of what it runs.
import type { HostCheck } from '#ops/core/checks/host-check'
import { allEngines } from '#ops/host/engines/registry'
import { claimedIdentity } from './checks/claimed-identity.ts'
import { clock } from './checks/clock.ts'
import { clockSync } from './checks/clock-sync.ts'
import { cloneConfig } from './checks/clone-config.ts'
import { connectorExpiry } from './checks/connector-expiry.ts'
import { consoleRoute } from './checks/console-route.ts'
import { diskArtifacts, diskRoot, diskState } from './checks/disk.ts'
import { funnelRequests } from './checks/funnel-requests.ts'
import { gitDrift } from './checks/git-drift.ts'
import { gitHead } from './checks/git-head.ts'
import { hostdAuth } from './checks/hostd-auth.ts'
import { hostdHealth } from './checks/hostd-health.ts'
import { lastDeploy } from './checks/last-deploy.ts'
import { maintenance } from './checks/maintenance.ts'
import { publishedCheck } from './checks/published.ts'
import { projectStateCheck } from './checks/project-state.ts'
import { safeDirectory } from './checks/safe-directory.ts'
import { secretModes } from './checks/secret-modes.ts'
import { services } from './checks/services.ts'
import { tailnet } from './checks/tailnet.ts'
import { timerDoctor, timerGuard } from './checks/timers.ts'
import { units } from './checks/units.ts'
import { unprovenCommits } from './checks/unproven-commits.ts'
import { unprovenOnOrigin } from './checks/unproven-on-origin.ts'

export const doctorChecks: readonly HostCheck[] = [
  hostdHealth,
  hostdAuth,
  consoleRoute,
  services,
  gitHead,
  gitDrift,
  projectStateCheck,
  lastDeploy,
  maintenance,
  safeDirectory,
  cloneConfig,
  unprovenCommits,
  unprovenOnOrigin,
  diskRoot,
  diskState,
  diskArtifacts,
  secretModes,
  connectorExpiry,
  clock,
  clockSync,
  timerDoctor,
  timerGuard,
  units,
  ...allEngines.flatMap((engine) => engine.doctorChecks),
  tailnet,
  publishedCheck,
  funnelRequests,
  claimedIdentity,
]

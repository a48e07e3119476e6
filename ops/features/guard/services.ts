// Guard restarts unhealthy services, whichever engine runs them.
import type { Engine } from '#ops/host/engines/common/engine'
import { lockPatienceMs, type Remediation } from './remediation.ts'

/** A service is restarted when it is due at every probe of a pass. */
export const restartServices = ({ guard }: Engine): Remediation => ({
  id: guard.remediation,
  undone: 'FAIL',
  probe: (host, signal) => guard.targets(host, signal),
  apply: (host, target, signal) =>
    guard.restart({ host, target, patienceMs: lockPatienceMs, signal }),
})

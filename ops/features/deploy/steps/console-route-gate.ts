// Step 7: every configured route of the API answers through the console.
import type { DeployStep } from '#shared/steps'
import type { Step } from '#ops/core/pipeline/pipeline'
import { requireFact, type DeployFacts, type DeployHost } from '#ops/features/deploy/state/facts'
import { requireRoutes } from '#ops/features/deploy/verify/route-gate'

export const consoleRouteGate = (host: DeployHost): Step<DeployFacts, DeployStep> => ({
  name: 'console_route_gate',
  timeLimitSeconds: 120,
  run: async (facts, context) => {
    const configured = requireFact(facts, 'config').routes.map(({ path }) => path)
    const routes = await requireRoutes(host, configured, context)
    return { detail: `${routes.length} routes answer through the console` }
  },
})

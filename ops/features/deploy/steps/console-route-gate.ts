// Step 7: every configured route of the API answers through the console.
import type { DeployStep } from '#shared/steps'
import type { Step } from '#ops/core/pipeline/pipeline'
import { requireFact, type DeployFacts, type DeployHost } from '#ops/features/deploy/state/facts'
import { heldRoutes } from '#ops/features/deploy/sync/gates-before'
import { requireRoutes } from '#ops/features/deploy/verify/route-gate'

export const consoleRouteGate = (host: DeployHost): Step<DeployFacts, DeployStep> => ({
  name: 'console_route_gate',
  timeLimitSeconds: 120,
  run: async (facts, context) => {
    const config = requireFact(facts, 'config')
    const held = facts.configBefore === null ? [] : heldRoutes(config, facts.configBefore)
    for (const path of held) context.log(`${path}: checked for the version that was green last`)
    const configured = [...config.routes.map(({ path }) => path), ...held]
    const routes = await requireRoutes(host, configured, context)
    return { detail: `${routes.length} routes answer through the console` }
  },
})

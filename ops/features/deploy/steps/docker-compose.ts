// Step 5: the engine brings the build up. Its name is older than the engines: `process` runs no container.
import type { DeployStep } from '#shared/steps'
import { refusePersonsMaintenance } from '#ops/core/host-state/maintenance'
import type { Step } from '#ops/core/pipeline/pipeline'
import type { UpReport, WrittenFolder } from '#ops/host/engines/common/engine'
import { engineOf } from '#ops/host/engines/registry'
import { requireFact, type DeployFacts, type DeployHost } from '#ops/features/deploy/state/facts'

export const dockerCompose = ({ paths }: DeployHost): Step<DeployFacts, DeployStep> => ({
  name: 'docker_compose',
  timeLimitSeconds: 1200,
  run: async (facts, { log, signal }) => {
    const { engine } = requireFact(facts, 'config')
    const target = requireFact(facts, 'target')
    const beforeSwitch = (): void =>
      refusePersonsMaintenance(paths, {
        what: 'The deploy stopped before the switch',
        untouched: 'The version that served before still serves.',
      })
    const build = requireFact(facts, 'build')
    const up = await engineOf(engine).up(target, build, { log, signal, beforeSwitch })
    return {
      facts: { up, unanswered_ms: up.unansweredMs },
      detail: `engine ${engine}: ${detailOf(up)}`,
    }
  },
})

function detailOf({ changed, unchanged, stopped, unansweredMs, written }: UpReport): string {
  const parts = [
    changed.length > 0 ? `started ${changed.join(', ')}` : null,
    unchanged.length > 0 ? `unchanged ${unchanged.join(', ')}` : null,
    stopped.length > 0 ? `stopped ${stopped.join(', ')}` : null,
  ]
  const gap = unansweredMs === null ? '' : `; no answer for ${unansweredMs} ms`
  return `${parts.filter((part) => part !== null).join(', ')}${gap}${written.map(leftBehind).join('')}`
}

/** Files that a message names; it counts the rest. */
const named = 3

function leftBehind({ folder, files }: WrittenFolder): string {
  const more = files.length > named ? ` and ${files.length - named} more` : ''
  return (
    `; warning: the version before wrote ${files.slice(0, named).join(', ')}${more} beside its code, ` +
    `which this version does not have; ${folder} keeps it`
  )
}

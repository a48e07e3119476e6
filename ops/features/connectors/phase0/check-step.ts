import { Problem } from '#shared/errors'
import { requiredConnectors } from '#shared/connectors/used'
import type { Phase0Step } from '#shared/steps'
import { checkLine } from '#ops/core/pipeline/marks'
import type { Step } from '#ops/core/pipeline/pipeline'
import { checkConnectorsAsSecretOwner } from '../check-as-secret-owner.ts'
import { failureOf, toCheck } from '../document.ts'
import { secretOwner } from '../secret-owner.ts'
import type { Phase0Facts, Phase0Host } from './facts.ts'

/** Every connector that Phase 0 needs must be ready, live, before anything is collected. */
export const checkStep = ({ paths }: Phase0Host): Step<Phase0Facts, Phase0Step> => ({
  name: 'connectors',
  timeLimitSeconds: 120,
  run: async (_facts, { signal, log, note }) => {
    const owner = secretOwner(paths)
    note({ owner })
    const reports = await checkConnectorsAsSecretOwner(owner, { names: requiredConnectors, signal })
    note({ reports })
    for (const report of reports) log(checkLine(toCheck(report)))
    const failure = failureOf('phase0', reports)
    if (failure !== null)
      throw new Problem(failure.errorClass, `${failure.detail} Nothing was collected.`)
    return { detail: `${reports.length} connectors are ready.` }
  },
})

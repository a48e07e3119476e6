import type { HarvestSummary } from '#shared/phase0'
import type { Phase0Step } from '#shared/steps'
import type { Step } from '#ops/core/pipeline/pipeline'
import { collectAsSecretOwner } from './collect-as-owner.ts'
import { ownerOf, type Phase0Facts, type Phase0Host } from './facts.ts'
import { HarvestFile } from './harvest-file.ts'

/** Messages between two lines of progress. */
const progressEvery = 100

/** The harvest of Gmail. A run that ends early leaves what it read to the next one. */
export const harvestStep = ({ paths }: Phase0Host): Step<Phase0Facts, Phase0Step> => ({
  name: 'harvest',
  timeLimitSeconds: 660,
  run: async (facts, { signal, dir, log, note }) => {
    const owner = ownerOf(facts)
    const { gmail } = owner.settings
    const account = facts.reports?.find(({ name }) => name === 'gmail')?.account ?? null
    const file = new HarvestFile({ dir, paths, settings: gmail, account })
    const known = [...file.known]
    if (known.length > 0) log(`Continues a run that had read ${known.length} messages`)
    let end: { limit: HarvestSummary['limit'] } | null = null
    try {
      const limit = await collectAsSecretOwner('harvest', {
        owner,
        seconds: gmail.harvest_seconds,
        signal,
        known,
        take: (line) => {
          const before = file.messages
          const taken =
            (line.type !== 'message' || file.add(line.message)) &&
            (line.type !== 'keep' || file.keep(line.id))
          if (file.messages !== before && file.messages % progressEvery === 0)
            log(`${file.messages} messages`)
          return taken
        },
      })
      end = { limit: limit === 'items' ? 'messages' : limit }
    } finally {
      note({
        harvest: {
          query: gmail.harvest_query,
          messages: file.messages,
          resumed: file.resumed,
          complete: end !== null && end.limit === null,
          limit: end?.limit ?? null,
        },
      })
      file.close(end !== null)
    }
    const limit = end.limit === null ? '' : `; stopped at the limit of ${end.limit} in host.json`
    return { detail: `${file.messages} messages${limit}.` }
  },
})

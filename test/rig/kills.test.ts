import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { prepareDeployHost, type DeployHost } from '../support/rig/deploy-host.ts'
import { expectSurvived, logLength } from '../support/rig/kills.ts'
import { whyNoRig } from '../support/rig/programs.ts'
import { bootRig } from '../support/rig/rig.ts'
import { seeds } from '../support/seeded.ts'

const why = whyNoRig()
if (why) console.warn(`Skipped, ${why}: kills during deploys on the rig`)

describe.skipIf(why !== null)(
  'leaves nothing behind and no false PASS, whatever is killed in a deploy, and deploys green next',
  () => {
    let at: DeployHost
    let lines: number
    beforeAll(async () => {
      at = await prepareDeployHost(await bootRig({ say: console.warn }))
      await at.ship('first')
      const { run, result } = await at.deploy()
      expect(result.overall, JSON.stringify(result.steps, null, 1)).toBe('PASS')
      lines = logLength(at, run.run_id)
    })
    afterAll(async () => {
      await at.rig.down()
    })

    it.each(seeds)('seed %i', async (seed) => {
      console.log(await expectSurvived(at, seed, lines))
    })
  },
)

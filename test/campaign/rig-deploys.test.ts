import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deployFailures } from '../support/rig/deploy-failures/index.ts'
import { prepareDeployHost, type DeployHost } from '../support/rig/deploy-host.ts'
import { expectFailure } from '../support/rig/expect-failure.ts'
import { expectSurvived, logLength } from '../support/rig/kills.ts'
import { whyNoRig } from '../support/rig/programs.ts'
import { bootRig } from '../support/rig/rig.ts'
import { campaignSeeds, report } from './seeds.ts'

const why = whyNoRig()
if (why) console.warn(`Skipped, ${why}: failing and killed deploys on the rig`)

describe.skipIf(why !== null)('deploys on an installed host', () => {
  let at: DeployHost
  let good: string
  let lines: number
  beforeAll(async () => {
    at = await prepareDeployHost(await bootRig({ say: console.warn }))
    good = await at.ship('good')
    const { run, result } = await at.deploy()
    expect(result.overall, JSON.stringify(result.steps, null, 1)).toBe('PASS')
    lines = logLength(at, run.run_id)
  }, 900_000)
  afterAll(async () => {
    await at.rig.down()
  })

  it('report why they fail, with the class and the first error line', async () => {
    const [seeds, failed] = [campaignSeeds(), [] as string[]]
    for (const seed of seeds) {
      for (const failure of deployFailures) {
        try {
          good = await expectFailure(at, failure, seed, good)
        } catch (error) {
          failed.push(`seed ${seed}, ${failure.name}: ${String(error)}`)
        }
      }
    }
    report(
      `${deployFailures.length} ways for a deploy to fail on an installed host, each with its ` +
        'class and first error line',
      seeds,
      seeds.length * deployFailures.length,
      failed.length,
    )
    expect(failed).toEqual([])
  })

  it('leave nothing behind when something is killed, and the next is green', async () => {
    const [seeds, failed] = [campaignSeeds(), [] as string[]]
    for (const seed of seeds)
      await expectSurvived(at, seed, lines).catch((error: unknown) => failed.push(String(error)))
    report(
      'kill -9 of hostd, runner, pipeline or dockerd during a deploy on an installed host',
      seeds,
      seeds.length,
      failed.length,
    )
    expect(failed).toEqual([])
  })
})

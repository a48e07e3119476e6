import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deployFailures } from '../support/rig/deploy-failures/index.ts'
import { expectFailure } from '../support/rig/expect-failure.ts'
import { prepareDeployHost, type DeployHost } from '../support/rig/deploy-host.ts'
import { whyNoRig } from '../support/rig/programs.ts'
import { bootRig } from '../support/rig/rig.ts'
import { seeds } from '../support/seeded.ts'

const why = whyNoRig()
if (why) console.warn(`Skipped, ${why}: failing deploys on the rig`)

describe.skipIf(why !== null)('a deploy that fails on an installed host', () => {
  let at: DeployHost
  let good: string
  beforeAll(async () => {
    at = await prepareDeployHost(await bootRig({ say: console.warn }))
    good = await at.ship('good')
    const { result } = await at.deploy()
    expect(result.overall, JSON.stringify(result.steps, null, 1)).toBe('PASS')
  })
  afterAll(async () => {
    await at.rig.down()
  })

  it.each(
    deployFailures.map((failure, index) => ({
      ...failure,
      failure,
      seed: seeds[index % seeds.length] ?? 1,
    })),
  )('by $name is $errorClass, with its first error line', async ({ failure, seed }) => {
    good = await expectFailure(at, failure, seed, good)
  })

  it('leaves a host on which the next good version is green', async () => {
    const sha = await at.ship('good again')
    const { result } = await at.deploy()
    expect(result, JSON.stringify(result.steps, null, 1)).toMatchObject({
      overall: 'PASS',
      target_sha: sha,
    })
    expect(await at.serves()).toEqual({ ok: true, message: 'good again', commit: sha })
    expect(at.maintenance()).toBeNull()
  })
})

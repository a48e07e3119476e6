import { mkdirSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Browser, Page } from 'playwright'
import { diagnosisText } from '#shared/state/diagnosis'
import { pageMs, shown } from '../support/browser.ts'
import { hostOf, installer } from '../support/rig/host.ts'
import { until } from '../support/rig/patience.ts'
import { faults, type Fault, type Scene } from '../support/rig/tailnet/faults.ts'
import { enrolAtLaptop, hostUrl } from '../support/rig/tailnet/laptop-hq.ts'
import { whyNoTailnet } from '../support/rig/tailnet/programs.ts'
import { bootTailnet, withoutTls } from '../support/rig/tailnet/tailnet.ts'
import { startFront } from '../support/rig/tailnet/tls-front.ts'

const why = whyNoTailnet()
if (why) console.warn(`Skipped, ${why}: ways to be unreachable in a real tailnet`)

/** Pictures of what HQ shows. */
const pictures = 'test-results/tailnet'
/**
 * HQ says what it is, and is back, within this time, milliseconds: as a rule, and at the latest on a machine with other
 * work. The control server takes a while to call a host offline.
 */
const limits = { half: 5000, all: 60_000 }

describe.skipIf(why !== null)('a host that cannot be reached over its tailnet', () => {
  let scene: Scene
  let browser: Browser
  let page: Page
  const times: Record<string, { noticed: number; back: number }> = {}
  beforeAll(async () => {
    const net = await bootTailnet(console.warn)
    await net.rig.must([installer], { env: withoutTls })
    const token = hostOf(net.rig).token()
    const front = await startFront(net)
    const hq = await enrolAtLaptop(net, token)
    await hq.call('hosts.add', { name: 'front', url: front.url, token })
    scene = { net, hq, front, token }
    mkdirSync(pictures, { recursive: true })
    browser = await hq.browser()
    page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
    page.setDefaultTimeout(pageMs)
    await page.goto(hq.url)
  })
  afterAll(async () => {
    await browser?.close()
    await scene?.net.down()
  })

  const urlOf = ({ at }: Fault): string => (at === 'front' ? scene.front.url : hostUrl(scene.net))
  const connectionOf = async (fault: Fault) => (await scene.hq.host(urlOf(fault))).connection
  const timeUntil = async (what: string, probe: () => Promise<boolean>): Promise<number> => {
    const from = performance.now()
    await until(what, probe)
    return Math.round(performance.now() - from)
  }
  /** It answers, and nothing is wrong. */
  const isWell = async (fault: Fault): Promise<boolean> => {
    const { state, diagnosis } = await connectionOf(fault)
    return state === 'online' && diagnosis === null
  }

  /** The page says what it is, and has its button. */
  const isShown = async (fault: Fault): Promise<void> => {
    const { name, diagnosis } = await connectionOf(fault)
    if (diagnosis === null || diagnosis === undefined) throw new Error('HQ sees no fault any more')
    const { title, remedy } = diagnosisText(diagnosis, name ?? '')
    await page.goto(`${scene.hq.url.split('#')[0]}#/hosts`)
    const card = page.getByRole('region', { name: `Diagnosis of ${name}` })
    await shown(card.getByRole('heading', { name: title })).toBeVisible()
    await shown(card.getByRole('button', { name: remedy.label }).first()).toBeVisible()
    await page.screenshot({ path: `${pictures}/${fault.id}.png` })
  }

  it.each(faults)('is $id to HQ, with its remedy, and is back by itself', async (fault) => {
    await until('the host to be well', async () => await isWell(fault))
    await fault.plant(scene)
    let noticed: number
    try {
      noticed = await timeUntil(
        `HQ to say ${fault.id}`,
        async () => (await connectionOf(fault)).diagnosis?.id === fault.id,
      )
      await isShown(fault)
    } finally {
      await fault.heal(scene)
    }
    const back = await timeUntil(`HQ to be back from ${fault.id}`, async () => await isWell(fault))
    times[fault.id] = { noticed, back }
    expect([noticed < limits.all, back < limits.all], JSON.stringify(times[fault.id])).toEqual([
      true,
      true,
    ])
  })

  it('is noticed and back within 5 s', () => {
    console.warn(times)
    const half = (all: readonly number[]): number =>
      all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0
    const all = Object.values(times)
    expect(all).toHaveLength(faults.length)
    expect(half(all.map(({ noticed }) => noticed))).toBeLessThan(limits.half)
    expect(half(all.map(({ back }) => back))).toBeLessThan(limits.half)
  })
})

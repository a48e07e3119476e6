import { mkdirSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Browser } from 'playwright'
import { serveBuilt, type BuiltRenderer } from '../desktop/renderer/support/built-renderer.ts'
import { open } from '../desktop/renderer/support/pages.ts'
import { scene } from '../desktop/renderer/support/scenes.ts'
import { paletteAgrees, showsOneTruth } from '../desktop/renderer/support/screen.ts'
import { launchBrowser } from '../support/browser.ts'
import { playHistory } from '../support/histories.ts'
import { wrongIn } from '../support/wrong-states.ts'
import { campaignSeeds, report } from './seeds.ts'

const length = 40

it('1,000 random histories: no two outputs of the state contradict each other', () => {
  const seeds = Array.from({ length: 1000 }, (_, at) => at + 1)
  const wrong = wrongIn(seeds, length)
  report('one truth, in the process', seeds, seeds.length * length, wrong.length)
  expect(wrong).toEqual([])
})

let built: BuiltRenderer
let browser: Browser
beforeAll(async () => {
  ;[built, browser] = await Promise.all([serveBuilt(), launchBrowser()])
})
afterAll(async () => {
  await browser.close()
  await built.close()
})

it('random histories in a browser: headline, gates, navigation, buttons and palette agree', async () => {
  const seeds = campaignSeeds()
  const { page, complaints } = await open(browser, built, scene({}))
  const wrong: string[] = []
  for (const seed of seeds) {
    const happened: string[] = []
    const world = playHistory(seed, length, (_world, events) => {
      happened.splice(0, Infinity, ...events)
    })
    try {
      await paletteAgrees(page, await showsOneTruth(page, world.overview()))
    } catch (error) {
      wrong.push(`seed ${seed}: ${happened.slice(-8).join(' › ')}: ${String(error)}`)
      mkdirSync('test-results', { recursive: true })
      writeFileSync(`test-results/one-truth-${seed}.png`, await page.screenshot())
    }
  }
  report('one truth, in a browser', seeds, seeds.length, wrong.length)
  expect([...wrong, ...complaints]).toEqual([])
})

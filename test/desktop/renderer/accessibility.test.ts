import axe from 'axe-core'
import type { Browser, Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchBrowser, shown } from '../../support/browser.ts'
import { buildAndServe, type BuiltRenderer } from './support/built-renderer.ts'
import { connectorStory } from './support/connector-stories.ts'
import { buildFailed, deploying, done, offline } from './support/deploy-stories.ts'
import { open } from './support/pages.ts'
import {
  alarmedProofs,
  awayProofs,
  brokenProofs,
  collectedFiles,
  openedProof,
} from './support/proof-stories.ts'
import { info, scene, type Scene } from './support/scenes.ts'
import {
  cancelledShip,
  nextActionMissing,
  repaired,
  reviewBlocked,
  reviewUnavailable,
  shipping,
} from './support/ship-stories.ts'

let built: BuiltRenderer
let browser: Browser
beforeAll(async () => {
  ;[built, browser] = await Promise.all([buildAndServe(), launchBrowser()])
})
afterAll(async () => {
  await browser.close()
  await built.close()
})

/** All rules of axe, and one that it leaves off: what a button shows must be in its name. */
const everything = {
  rules: { 'label-content-name-mismatch': { enabled: true } },
  resultTypes: ['violations'],
}
/** What depends on the colours of a theme. */
const colours = { runOnly: ['color-contrast'], resultTypes: ['violations'] }

async function violations(page: Page, options: object): Promise<string[]> {
  return await page.evaluate<string[], object>(async (given) => {
    const { axe: checker } = globalThis as unknown as { axe: typeof axe }
    const result = await checker.run(given)
    return result.violations.map(
      ({ id, impact, nodes }) =>
        `${id} (${impact ?? ''}): ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`,
    )
  }, options)
}

interface State {
  readonly story: Scene
  readonly path?: string
  /** Leads to the state, from the open page. */
  readonly to?: (page: Page) => Promise<void>
}

const opened = openedProof({ broken: true })
const collected = collectedFiles()
const failed = buildFailed()
const states: Readonly<Record<string, State>> = {
  'the overview, done': { story: done() },
  'the overview, deploying': { story: deploying() },
  'the overview, failed': { story: failed },
  'the overview, offline': { story: offline() },
  'a blocked ship': { story: reviewBlocked(), path: '/ship' },
  'a ship without a sign-in': { story: reviewUnavailable(), path: '/ship' },
  'a running ship': { story: shipping(), path: '/ship' },
  'a repaired ship': { story: repaired(), path: '/ship' },
  'a cancelled ship': { story: cancelledShip(), path: '/ship' },
  'a ship without a next action': { story: nextActionMissing(), path: '/ship' },
  'a failed deploy': { story: failed, path: '/deploy' },
  'a failed run': { story: failed, path: `/runs/${failed.runId}` },
  'the runs, with a list open': {
    story: failed,
    path: '/runs',
    to: async (page) => {
      await page.getByRole('button', { name: /State/ }).click()
      await page.getByRole('option', { name: 'Failed' }).waitFor()
    },
  },
  'broken proofs': { story: brokenProofs(), path: '/proofs' },
  'alarmed proofs': { story: alarmedProofs(), path: '/proofs' },
  'proofs of a host that is away': { story: awayProofs(), path: '/proofs' },
  'a broken file': { story: opened, path: opened.path },
  'a log of a proof': {
    story: opened,
    path: `${opened.path}/console_build.log?line=7`,
    to: async (page) => {
      await page.getByRole('searchbox', { name: 'Search this file' }).fill('deprecated')
      await page.locator('mark').first().waitFor()
    },
  },
  'a table of what Phase 0 collected': { story: collected, path: `${collected.path}?line=12` },
  'doctor and ports': { story: failed, path: '/doctor' },
  'connectors with forms': { story: connectorStory('refused and expired'), path: '/connectors' },
  'a connector that waits for the person': {
    story: connectorStory('a device code waits'),
    path: '/connectors',
  },
  'attempts to connect that ended': {
    story: connectorStory('an attempt failed, another was cancelled'),
    path: '/connectors',
  },
  'a question before a connector is disconnected': {
    story: connectorStory('all ready'),
    path: '/connectors',
    to: async (page) => {
      await page.getByRole('button', { name: 'Disconnect Gmail' }).click()
      await page.getByRole('alertdialog').waitFor()
    },
  },
  'connectors of a host that is away': {
    story: connectorStory('the host is away'),
    path: '/connectors',
  },
  settings: { story: failed, path: '/settings' },
  'an address that leads nowhere': { story: done(), path: '/nowhere' },
  'the console': { story: scene({ 'app.info': info({ mode: 'console', operator: false }) }) },
  'the palette': {
    story: failed,
    to: async (page) => {
      await page.keyboard.press('Control+k')
      await page.getByRole('searchbox', { name: 'Search or run' }).fill('deploy')
      await page.getByRole('menuitem').first().waitFor()
    },
  },
  'a question before something is destroyed': {
    story: failed,
    path: '/deploy',
    to: async (page) => {
      await page.getByRole('button', { name: 'End maintenance' }).click()
      await page.getByRole('alertdialog').waitFor()
    },
  },
}

describe('U13 axe finds nothing', () => {
  test.each(Object.entries(states))('in %s', async (_, { story, path, to }) => {
    const { page } = await open(browser, built, story, { path })
    await shown(page.getByRole('heading', { level: 1 })).toBeVisible()
    await to?.(page)
    await page.evaluate(axe.source)
    expect(await violations(page, everything)).toEqual([])
    await page.emulateMedia({ colorScheme: 'dark' })
    expect(await violations(page, colours)).toEqual([])
    await page.context().close()
  })
})

import axe from 'axe-core'
import type { Page } from 'playwright'
import { describe, expect, test } from 'vitest'
import { shown } from '../../support/browser.ts'
import { connectorStory } from './support/connector-stories.ts'
import { buildFailed, deploying, done, offline } from './support/deploy-stories.ts'
import { hosts } from './support/host-stories.ts'
import { leave, rendererInBrowser } from './support/pages.ts'
import {
  alarmedProofs,
  awayProofs,
  brokenProofs,
  collectedFiles,
  openedProof,
} from './support/proof-stories.ts'
import { info, scene, type Scene } from './support/scenes.ts'
import { callsOf } from './support/scripted-transport.ts'
import {
  cancelledShip,
  nextActionMissing,
  repaired,
  reviewBlocked,
  reviewUnavailable,
  shipping,
} from './support/ship-stories.ts'

const hq = rendererInBrowser()

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
  'the hosts, one with an expired key': { story: hosts('host_key_expired'), path: '/hosts' },
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
    const { page } = await hq.open(story, { path })
    await shown(page.getByRole('heading', { level: 1 })).toBeVisible()
    await to?.(page)
    await page.evaluate(axe.source)
    expect(await violations(page, everything)).toEqual([])
    await page.emulateMedia({ colorScheme: 'dark' })
    expect(await violations(page, colours)).toEqual([])
    await leave(page)
  })
})

describe('colours and layout', () => {
  test('both themes give text at least 4.5:1, and no page is wider than its window', async () => {
    for (const theme of ['light', 'dark'] as const) {
      for (const width of [1440, 1180, 900]) {
        const { page } = await hq.open(buildFailed(), { theme, width })
        await shown(page.getByRole('heading', { level: 1 })).toBeVisible()
        const { ink, quiet, ground, wide } = await page.evaluate<{
          ink: number[]
          quiet: number[]
          ground: number[]
          wide: boolean
        }>(measure)
        expect(contrast(ink, ground)).toBeGreaterThan(12)
        expect(contrast(quiet, ground)).toBeGreaterThan(4.5)
        expect(luminance(ground) < 0.1).toBe(theme === 'dark')
        expect(wide, `${theme} ${width}`).toBe(false)
        await page.screenshot({ path: `test-results/renderer/overview-${theme}-${width}.png` })
        await leave(page)
      }
    }
  })

  test('a theme chosen in Settings goes over the system', async () => {
    const story = done()
    story.answers['settings.set_theme'] = {
      ...(story.answers['settings.get'] as object),
      theme: 'dark',
    }
    const { page } = await hq.open(story, { path: '/settings' })
    await page.getByText('Dark', { exact: true }).click()
    await shown(page.getByRole('radio', { name: 'Dark' })).toBeChecked()
    await shown(page.locator('html')).toHaveAttribute('data-theme', 'dark')
    await expect
      .poll(
        async () => (await callsOf(page)).find(({ name }) => name === 'settings.set_theme')?.input,
      )
      .toEqual({ theme: 'dark' })
    await leave(page)
  })
})

/** Runs in the page: the colours as they are drawn, and whether anything is wider than the window. */
const measure = `(() => {
  const rgb = (colour) => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
    canvas.fillStyle = colour
    canvas.fillRect(0, 0, 1, 1)
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3)
  }
  const main = document.getElementById('main')
  return {
    ink: rgb(getComputedStyle(document.body).color),
    quiet: rgb(getComputedStyle(document.querySelector('[class*=tally] .quiet')).color),
    ground: rgb(getComputedStyle(document.body).backgroundColor),
    wide: document.documentElement.scrollWidth > innerWidth || main.scrollWidth > main.clientWidth,
  }
})()`

const luminance = (rgb: number[]): number => {
  const [r = 0, g = 0, b = 0] = rgb
    .map((value) => value / 255)
    .map((value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}
const contrast = (a: number[], b: number[]): number => {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].toSorted((x, y) => y - x)
  return (light + 0.05) / (dark + 0.05)
}

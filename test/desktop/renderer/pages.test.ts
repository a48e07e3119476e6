import type { Browser } from 'playwright'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchBrowser, shown } from '../../support/browser.ts'
import { buildAndServe, type BuiltRenderer } from './support/built-renderer.ts'
import { open } from './support/pages.ts'
import { info } from './support/scenes.ts'
import { done } from './support/deploy-stories.ts'
import { reviewBlocked } from './support/ship-stories.ts'

let built: BuiltRenderer
let browser: Browser
beforeAll(async () => {
  ;[built, browser] = await Promise.all([buildAndServe(), launchBrowser()])
})
afterAll(async () => {
  await browser.close()
  await built.close()
})

const titles = ['Overview', 'Ship', 'Deploy', 'Runs', 'Proofs', 'Doctor & ports', 'Settings']
const onConsole = titles.filter((title) => title !== 'Ship' && title !== 'Settings')

describe('the list of pages', () => {
  test('gives every page its sidebar entry, its address and the window title', async () => {
    const { page, complaints } = await open(browser, built, reviewBlocked())
    const entries = page.getByRole('navigation', { name: 'Main' }).getByRole('link')
    await shown(entries).toHaveCount(titles.length)
    for (const [at, title] of titles.entries()) {
      await entries.nth(at).click()
      await shown(page).toHaveTitle(`${title} · OpenClaw HQ`)
      await shown(entries.nth(at)).toHaveAttribute('aria-current', 'page')
      await shown(page.getByText('There is no such page')).toHaveCount(0)
      await shown(page.getByRole('heading', { level: 1 })).toBeVisible()
    }
    expect(complaints).toEqual([])
    await page.context().close()
  })

  test('shows the console no page that only the laptop has', async () => {
    const scene = done()
    const { page } = await open(
      browser,
      built,
      { ...scene, answers: { ...scene.answers, 'app.info': info({ operator: false }) } },
      { path: '/settings' },
    )
    await shown(page.getByText('There is no such page')).toBeVisible()
    await shown(page).toHaveTitle('OpenClaw HQ')
    const entries = page.getByRole('navigation', { name: 'Main' }).getByRole('link')
    await shown(entries).toHaveText(onConsole.map((title) => new RegExp(`^${title}`)))
    await page.keyboard.press('Control+k')
    const goTo = page.getByRole('group', { name: 'Go to' }).getByRole('menuitem')
    await shown(goTo).toHaveText(onConsole)
    await page.context().close()
  })

  test('offers every page in the palette, and the palette opens it', async () => {
    const { page } = await open(browser, built, done())
    await page.keyboard.press('Control+k')
    const goTo = page.getByRole('group', { name: 'Go to' }).getByRole('menuitem')
    await shown(goTo).toHaveText(titles)
    await goTo.filter({ hasText: 'Proofs' }).click()
    await shown(page).toHaveURL(/#\/proofs$/)
    await shown(page).toHaveTitle('Proofs · OpenClaw HQ')
    await page.context().close()
  })
})

describe('the part of an address after a page', () => {
  test('keeps the page current in the sidebar, and says when it names no run', async () => {
    const { page } = await open(browser, built, done(), { path: '/runs/not-a-run' })
    await shown(page.getByText('There is no such page')).toBeVisible()
    await shown(page.getByRole('link', { name: /^Runs/ })).toHaveAttribute('aria-current', 'page')
    await page.context().close()
  })

  test('says when it names no ship, and leads back to the newest one', async () => {
    const story = reviewBlocked()
    const unknown = '20250101T000000Z-00000000'
    for (const id of ['not-a-ship', unknown]) {
      const { page, complaints } = await open(
        browser,
        built,
        {
          ...story,
          problems: {
            ...story.problems,
            [`ship.get {"run_id":"${unknown}"}`]: {
              error_class: 'not_found',
              message: `There is no ship ${unknown}.`,
              next_auto_fix: 'start_again',
            },
          },
        },
        { path: `/ship/${id}` },
      )
      await shown(page.getByText('There is no such ship')).toBeVisible()
      await shown(page.getByText(id)).toBeVisible()
      await shown(page.getByRole('link', { name: /^Ship/ })).toHaveAttribute('aria-current', 'page')
      await page.getByRole('link', { name: 'Back to the newest ship' }).click()
      await shown(page).toHaveURL(/#\/ship$/)
      await shown(page.getByText('There is no such ship')).toHaveCount(0)
      await shown(page.getByRole('heading', { level: 1 })).toContainText('is not shipped')
      expect(complaints).toEqual([])
      await page.context().close()
    }
  })

  test('is refused by a page that takes none', async () => {
    const { page } = await open(browser, built, done(), { path: '/proofs/anything' })
    await shown(page.getByText('There is no such page')).toBeVisible()
    await page.context().close()
  })
})

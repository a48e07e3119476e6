import type { Browser } from 'playwright'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchBrowser, shown } from '../../support/browser.ts'
import { buildAndServe, type BuiltRenderer } from './support/built-renderer.ts'
import { open } from './support/pages.ts'
import { awayProofs, alarmedProofs, brokenProofs, soundProofs } from './support/proof-stories.ts'
import { callsOf, change } from './support/scripted-transport.ts'
import { info, scene } from './support/scenes.ts'

let built: BuiltRenderer
let browser: Browser
beforeAll(async () => {
  ;[built, browser] = await Promise.all([buildAndServe(), launchBrowser()])
})
afterAll(async () => {
  await browser.close()
  await built.close()
})

describe('the Proofs page', () => {
  test('says that the proofs hold, with what laptop and host find of each, and when it was witnessed', async () => {
    const { page, complaints } = await open(browser, built, soundProofs(), { path: '/proofs' })
    await shown(page.getByRole('heading', { level: 1 })).toHaveText('The proofs hold')
    const ship = page.getByRole('row', { name: /^Ship/ }).first()
    await shown(ship.getByText('Verified')).toHaveCount(2)
    await shown(
      page.getByRole('list', { name: 'What HQ has witnessed' }).getByRole('listitem').first(),
    ).toContainText('As witnessed')
    await shown(page.getByRole('row', { name: /3 deleted by retention/ })).toBeVisible()
    await page.getByRole('button', { name: 'Check all again' }).press('Enter')
    await expect
      .poll(async () => (await callsOf(page)).some(({ name }) => name === 'proofs.check'))
      .toBe(true)
    expect(complaints).toEqual([])
    await page.context().close()
  })

  test('names the file and the class of a broken bundle, and every other problem behind it', async () => {
    const { page } = await open(browser, built, brokenProofs(), { path: '/proofs' })
    await shown(page.getByRole('heading', { level: 1 })).toHaveText('1 proof is broken')
    const row = page.getByRole('row', { name: /verify_production\.json/ })
    await shown(row).toContainText('The content of a file differs')
    // It stands first, whatever came after it.
    await shown(page.getByRole('row').nth(1)).toContainText('verify_production.json')
    await shown(row).toContainText('file_digest')
    await row.getByRole('button', { name: 'All 2' }).click()
    await shown(page.getByRole('list', { name: 'What is wrong with it' })).toContainText(
      'A file was added',
    )
    await page.keyboard.press('Escape')
    await shown(page.getByRole('list', { name: 'What is wrong with it' })).toHaveCount(0)
    await page.context().close()
  })

  test('shows an alarm on every page, ends it only with a reason, and names the key then trusted', async () => {
    const story = alarmedProofs()
    const { page } = await open(browser, built, story)
    await shown(page.getByRole('alert')).toContainText(
      'The proof of aiops-1 differs from what HQ has witnessed.',
    )
    await page.getByRole('link', { name: 'Open Proofs' }).click()
    await shown(page.getByRole('heading', { level: 1 })).toHaveText(
      'A proof differs from what HQ has witnessed',
    )
    const alarm = page.getByRole('alert', { name: 'Alarm: aiops-1' })
    await shown(alarm).toContainText('Another key signs than the one that was enrolled')
    await alarm.getByRole('button', { name: 'Acknowledge' }).click()
    const dialog = page.getByRole('alertdialog', { name: 'Acknowledge 2 alarms of aiops-1?' })
    await shown(dialog).toContainText('b'.repeat(32))
    await dialog.getByRole('button', { name: 'Acknowledge' }).press('Enter')
    expect((await callsOf(page)).some(({ name }) => name === 'proofs.acknowledge')).toBe(false)
    await dialog.getByLabel('Why this is expected').fill('The host was installed again')
    await change(page, { answers: soundProofs().answers })
    await page.keyboard.press('Enter')
    await shown(dialog).toHaveCount(0)
    await expect
      .poll(async () => (await callsOf(page)).filter(({ name }) => name === 'proofs.acknowledge'))
      .toEqual([
        {
          name: 'proofs.acknowledge',
          input: {
            id: 'aiops-1',
            reason: 'The host was installed again',
            saw: { open: 2, shown_key_id: 'b'.repeat(32) },
          },
        },
      ])
    await shown(page.getByRole('heading', { level: 1 })).toHaveText('The proofs hold')
    await page.context().close()
  })

  test('keeps what was witnessed of an unreachable host, and says as of when', async () => {
    const { page } = await open(browser, built, awayProofs(), { path: '/proofs' })
    await shown(
      page.getByText(/aiops-1 cannot be reached now; what it found is as of \d\d:\d\d:\d\d/),
    ).toBeVisible()
    await shown(page.getByRole('row', { name: /Deploy/ }).first()).toContainText('Verified')
    await shown(page.getByRole('row', { name: /Seen before/ })).toContainText('not known')
    await page.context().close()
  })

  test('is empty before the first run, and in the console says who the witness is', async () => {
    const { page } = await open(
      browser,
      built,
      scene({ 'app.info': info({ mode: 'console', operator: false }) }),
      { path: '/proofs' },
    )
    await shown(page.getByRole('heading', { level: 1 })).toHaveText('No proof yet')
    await shown(page.getByText('a host cannot be its own witness')).toBeVisible()
    await shown(page.getByRole('button', { name: 'Check all again' })).toHaveCount(0)
    await page.context().close()
  })
})

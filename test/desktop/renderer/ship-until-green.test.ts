import { describe, expect, test } from 'vitest'
import { shown } from '../../support/browser.ts'
import { leave, rendererInBrowser } from './support/pages.ts'
import { shipResult } from './support/documents.ts'
import { findings, overview, scene, settings, shipDetail } from './support/scenes.ts'
import { callsOf } from './support/scripted-transport.ts'
import { nextActionMissing, repaired, repairing, reviewBlocked } from './support/ship-stories.ts'

const hq = rendererInBrowser()

describe('the page of a ship', () => {
  test('shows the attempts of until green, the result of each repair, and the protected files changed', async () => {
    const { page, complaints } = await hq.open(repaired(), { path: '/ship' })
    const attempts = page.getByRole('region', { name: 'Until green' })
    await shown(attempts).toContainText('2 of 3 repairs')
    await shown(attempts.getByRole('listitem').filter({ hasText: 'attempt 1' })).toContainText(
      'tests_failed',
    )
    await shown(attempts.getByRole('list', { name: 'Protected files changed' })).toContainText(
      'test/hostd/artifacts.test.ts modified',
    )
    await shown(attempts).toContainText('refs/openclaw/repairs/')
    await attempts.getByRole('link', { name: 'repair.patch' }).first().click()
    await expect
      .poll(
        async () =>
          (await callsOf(page)).filter(({ name }) => name === 'proofs.file').at(-1)?.input,
      )
      .toMatchObject({ path: 'repairs/1/repair.patch' })
    expect(complaints).toEqual([])
    await leave(page)
  })

  test('says which repair is being made while it runs', async () => {
    const { page } = await hq.open(repairing(), { path: '/ship' })
    await shown(page.getByText('Repair 1: the implementer works on a copy')).toBeVisible()
    await shown(page.getByRole('listitem', { name: 'Repair: Running' })).toBeVisible()
    await shown(page.getByRole('region', { name: 'Before the next ship' })).toHaveCount(0)
    await leave(page)
  })

  test('turns until green on with a limit, and changes it', async () => {
    const story = scene({
      'settings.set_until_green': {
        ...settings,
        until_green: { repairs: 3, implementer: 'Codex, gpt-5.2-codex' },
      },
      'ship.get': shipDetail(shipResult()),
    })
    const { page, complaints } = await hq.open(story, { path: '/ship' })
    const before = page.getByRole('region', { name: 'Before the next ship' })
    await shown(before.getByRole('switch', { name: 'Until green' })).not.toBeChecked()
    await before.getByText('Until green').click()
    await shown(before.getByRole('switch', { name: 'Until green' })).toBeChecked()
    await before.getByRole('button', { name: /at most 3 repairs/ }).click()
    await page.getByRole('option', { name: 'at most 5 repairs' }).click()
    await expect
      .poll(async () =>
        (await callsOf(page))
          .filter(({ name }) => name === 'settings.set_until_green')
          .map(({ input }) => input),
      )
      .toEqual([{ repairs: 3 }, { repairs: 5 }])
    expect(complaints).toEqual([])
    await leave(page)
  })

  test('opens the editor of the next action when a ship stopped without one, and commits the text', async () => {
    const { page, complaints } = await hq.open(nextActionMissing(), { path: '/ship' })
    const before = page.getByRole('region', { name: 'Before the next ship' })
    await before.getByRole('textbox', { name: 'Next action' }).fill('Deploy it.')
    await before.getByRole('button', { name: 'Commit it' }).click()
    await shown(before.getByRole('textbox')).toHaveCount(0)
    await expect
      .poll(async () =>
        (await callsOf(page)).filter(({ name }) => name === 'next.set').map(({ input }) => input),
      )
      .toEqual([{ text: 'Deploy it.', commit: true }])
    expect(complaints).toEqual([])
    await leave(page)
  })

  test('does not offer to commit it beside changes that are in no commit, and says so', async () => {
    const { page } = await hq.open(reviewBlocked(), { path: '/ship' })
    const before = page.getByRole('region', { name: 'Before the next ship' })
    await before.getByRole('button', { name: 'Set it' }).click()
    await shown(before).toContainText(
      'It cannot be committed now: 1 file changed and not committed.',
    )
    await before.getByRole('textbox', { name: 'Next action' }).fill('Deploy it.')
    await before.getByRole('textbox', { name: 'Next action' }).press('Enter')
    await shown(before.getByRole('button', { name: 'Commit it' })).toHaveAttribute(
      'aria-disabled',
      'true',
    )
    expect((await callsOf(page)).filter(({ name }) => name === 'next.set')).toEqual([])
    await leave(page)
  })

  test('lists the findings with file and line, and leads from each to its line of the diff', async () => {
    const { page } = await hq.open(reviewBlocked(), { path: '/ship', height: 620 })
    const list = page.getByRole('region', { name: 'Findings' })
    await shown(list.getByRole('listitem')).toHaveCount(findings.length)
    await page.getByRole('tab', { name: 'Log' }).click()
    await list
      .getByRole('button', { name: 'Note: The cache never forgets, hostd/routes/artifacts.ts:42' })
      .click()
    const note = page.getByRole('article', { name: 'Note: The cache never forgets' })
    await shown(note).toBeInViewport()
    await shown(note).toContainText('hostd/routes/artifacts.ts:42')
    await leave(page)
  })

  test('says from which run an approval is re-used, and how old it was', async () => {
    const result = shipResult({
      review_reused: {
        run_id: '20260101T000000Z-0a0a0a0a',
        verdict_id: 'v-0',
        approved_at: '2026-01-01T00:00:00.000Z',
        age_minutes: 17,
      },
    })
    const story = scene({
      'overview.get': overview({
        ship: { run_id: result.run_id, active: false, step: null, result },
      }),
      'ship.get': shipDetail(result),
    })
    const { page } = await hq.open(story, { path: '/ship' })
    const verdict = page.getByRole('region', { name: 'Verdict', exact: true })
    await shown(verdict).toContainText('Reused from run')
    await shown(verdict).toContainText('17 minutes old')
    await leave(page)
  })
})

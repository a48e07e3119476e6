import { describe, expect, test } from 'vitest'
import { shown } from '../../support/browser.ts'
import { leave, rendererInBrowser } from './support/pages.ts'
import { info, type Scene } from './support/scenes.ts'
import { change } from './support/scripted-transport.ts'
import { buildFailed, deploying, done } from './support/deploy-stories.ts'
import { reviewBlocked } from './support/ship-stories.ts'

const hq = rendererInBrowser()

const titles = [
  'Overview',
  'Ship',
  'Deploy',
  'Runs',
  'Proofs',
  'Doctor & ports',
  'Connectors',
  'Hosts',
  'Settings',
]
const onConsole = titles.filter((title) => !['Ship', 'Hosts', 'Settings'].includes(title))

describe('the list of pages', () => {
  test('gives every page its sidebar entry, its address and the window title', async () => {
    const { page, complaints } = await hq.open(reviewBlocked())
    const entries = page.getByRole('navigation', { name: 'Main' }).getByRole('link')
    await shown(entries).toHaveCount(titles.length)
    for (const [at, title] of titles.entries()) {
      await entries.nth(at).click()
      await shown(page).toHaveTitle(`${title} · OpenClaw HQ`)
      await shown(entries.nth(at)).toHaveAttribute('aria-current', 'page')
      await shown(page.getByText('There is no such page')).toHaveCount(0)
      await shown(page.getByRole('heading', { level: 1 })).toBeVisible()
      // A new page is read from its heading on; the link stays behind. The page that is open already keeps the focus.
      if (at > 0) await shown(page.getByRole('heading', { level: 1 })).toBeFocused()
    }
    expect(complaints).toEqual([])
    await leave(page)
  })

  test('shows the console no page that only the laptop has', async () => {
    const scene = done()
    const { page } = await hq.open(
      { ...scene, answers: { ...scene.answers, 'app.info': info({ operator: false }) } },
      { path: '/settings' },
    )
    await shown(page.getByText('There is no such page')).toBeVisible()
    await shown(page).toHaveTitle('No such page · OpenClaw HQ')
    const entries = page.getByRole('navigation', { name: 'Main' }).getByRole('link')
    await shown(entries).toHaveText(onConsole.map((title) => new RegExp(`^${title}`)))
    await page.keyboard.press('Control+k')
    const goTo = page.getByRole('group', { name: 'Go to' }).getByRole('menuitem')
    await shown(goTo).toHaveText(onConsole)
    await leave(page)
  })

  test('offers every page in the palette, and the palette opens it', async () => {
    const { page } = await hq.open(done())
    await page.keyboard.press('Control+k')
    const goTo = page.getByRole('group', { name: 'Go to' }).getByRole('menuitem')
    await shown(goTo).toHaveText(titles)
    await goTo.filter({ hasText: 'Proofs' }).click()
    await shown(page).toHaveURL(/#\/proofs$/)
    await shown(page).toHaveTitle('Proofs · OpenClaw HQ')
    await leave(page)
  })
})

describe('the part of an address after a page', () => {
  test('keeps the page current in the sidebar, and says when it names no run', async () => {
    const { page } = await hq.open(done(), { path: '/runs/not-a-run' })
    await shown(page.getByText('There is no such page')).toBeVisible()
    await shown(page.getByRole('link', { name: /^Runs/ })).toHaveAttribute('aria-current', 'page')
    await leave(page)
  })

  test('says when it names no ship, and leads back to the newest one', async () => {
    const story = reviewBlocked()
    const unknown = '20250101T000000Z-00000000'
    for (const id of ['not-a-ship', unknown]) {
      const { page, complaints } = await hq.open(
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
      await leave(page)
    }
  })

  test('is refused by a page that takes none', async () => {
    const { page } = await hq.open(done(), { path: '/proofs/anything' })
    await shown(page.getByText('There is no such page')).toBeVisible()
    await leave(page)
  })
})

describe('U11 HQ behaves as a browser user expects', () => {
  test('filters of the runs stand in the address and are there again after Back and a reload', async () => {
    const { page, complaints } = await hq.open(buildFailed(), { path: '/runs' })
    const state = page.getByRole('button', { name: /State/ })
    await state.click()
    await page.getByRole('option', { name: 'Failed' }).click()
    await shown(page).toHaveURL(/#\/runs\?status=failed$/)
    await page.getByRole('table', { name: 'Runs' }).getByRole('link').first().click()
    await shown(page).toHaveURL(/#\/runs\/[^?]+$/)
    await page.goBack()
    await shown(page).toHaveURL(/#\/runs\?status=failed$/)
    await shown(state).toContainText('Failed')
    await page.reload()
    await shown(state).toContainText('Failed')
    // A sibling: another filter, typed into the address; and one that is no filter.
    await page.goto(`${hq.url}#/runs?action=guard&status=nonsense`)
    await shown(page.getByRole('button', { name: /Action/ })).toContainText('Guard')
    await shown(state).toContainText('Every state')
    expect(complaints).toEqual([])
    await leave(page)
  })

  test('the title names the run, the heading has the focus, and what changes there is announced', async () => {
    const story = deploying()
    const { page } = await hq.open(story, { path: '/runs' })
    await page.getByRole('table', { name: 'Runs' }).getByRole('link').first().click()
    await shown(page).toHaveTitle(`Run ${story.runId.slice(-8)} · Runs · OpenClaw HQ`)
    await shown(page.getByRole('heading', { level: 1 })).toBeFocused()
    const announced = page.getByRole('status', { name: 'What changed' })
    await shown(announced).toBeEmpty()
    const key = `host.run ${JSON.stringify({ run_id: story.runId })}`
    const { run } = story.answers[key] as { run: object }
    await change(page, {
      answers: {
        [key]: {
          ok: true,
          run: { ...run, status: 'passed', finished_at: new Date().toISOString() },
        },
      },
    })
    await shown(announced).toHaveText(/^Deploy\+Verify .*Pass$/)
    await leave(page)
  })

  test('the palette finds commits, runs, what asks first, and words in any order', async () => {
    const story = buildFailed()
    const { page } = await hq.open(story)
    await page.keyboard.press('Control+k')
    const field = page.getByRole('searchbox', { name: 'Search or run' })
    for (const [typed, name] of [
      [commitOf(story), /^Commit/],
      [commitOf(story).slice(0, 12), /^Commit/],
      [story.runId, /^Deploy\+Verify/],
      ['console_build_failed', /^Deploy\+Verify/],
      ['rollback', /^Roll back/],
      ['doctor run', /^Run doctor/],
      ['20250101T000000Z-00000000', /^Open run/],
    ] as const) {
      await field.fill(typed)
      await shown(page.getByRole('menuitem').first(), typed).toHaveAccessibleName(name)
    }
    await leave(page)
  })
})

const commitOf = (story: Scene): string =>
  (story.answers['overview.get'] as { repository: { head: string } }).repository.head

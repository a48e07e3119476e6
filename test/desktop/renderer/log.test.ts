import type { Page } from 'playwright'
import type { EventBody } from '#shared/events'
import { describe, expect, test } from 'vitest'
import { shown } from '../../support/browser.ts'
import { leave, rendererInBrowser } from './support/pages.ts'
import { ago, idAt } from './support/documents.ts'
import { line, numbered, overview, run, scene, status, type Scene } from './support/scenes.ts'
import { callsOf, requestsOf } from './support/scripted-transport.ts'
import { buildFailed, deploying } from './support/deploy-stories.ts'

const hq = rendererInBrowser()

/** A finished doctor run with these lines. */
function runWith(texts: readonly string[], over: Partial<Scene> = {}): Scene & { runId: string } {
  const runId = idAt(50, 'abcd0123')
  const ended = run({ run_id: runId, action: 'guard', lane: 'guard' })
  const events: EventBody[] = [
    { type: 'run_started', time: ago(60), action: 'guard', steps: ['look'] },
    { type: 'step_started', time: ago(60), step: 'look' },
    ...texts.map((text) => line(text, 'look')),
    {
      type: 'step_finished',
      time: ago(50),
      step: 'look',
      status: 'passed',
      duration_ms: 10,
      detail: null,
      error_class: null,
    },
  ]
  return {
    runId,
    ...scene({
      'overview.get': overview({ status: status() }),
      [`host.run ${JSON.stringify({ run_id: runId })}`]: {
        ok: true,
        run: { ...ended, result: null },
      },
    }),
    events: { [runId]: numbered(events) },
    ...over,
  }
}
const numbers = async (page: Page): Promise<number[]> =>
  await page
    .locator('[data-number]')
    .evaluateAll((lines) => lines.map((each) => Number(each.getAttribute('data-number'))))

describe('the log', () => {
  test('20,000 lines arrive once each over twenty cuts, in order, and only what is in view is drawn', async () => {
    const story = runWith(Array.from({ length: 20_000 }, (_, at) => `line ${at + 1} of the run`))
    story.cutAt[story.runId] = Array.from({ length: 20 }, (_, at) => (at + 1) * 977)
    const { page, complaints } = await hq.open(story, { path: `/runs/${story.runId}` })
    const log = page.getByRole('region', { name: 'Log', exact: true })
    await shown(log.getByText(/^20.000 lines$/)).toBeVisible()
    await shown(log.getByText('Complete')).toBeVisible()
    await shown(log.getByText('No gaps')).toBeVisible()
    const asked = (await requestsOf(page)).filter(({ run_id }) => run_id === story.runId)
    expect(asked.map(({ after }) => after)).toEqual([
      0,
      ...Array.from({ length: 20 }, (_, at) => (at + 1) * 977),
    ])
    expect(await page.locator('[data-number]').count()).toBeLessThan(150)

    await page.getByRole('log').focus()
    await page.keyboard.press('Home')
    await shown(page.locator('[data-number="1"]')).toContainText('line 1 of the run')
    const top = await numbers(page)
    expect(top).toEqual(Array.from({ length: top.length }, (_, at) => at + 1))
    await page.getByRole('button', { name: 'Follow' }).click()
    await shown(page.locator('[data-number="20000"]')).toContainText('line 20000 of the run')
    expect(complaints).toEqual([])
    await leave(page)
  })

  test('H9 200,000 lines of an ended run leave the page usable, and are at no moment called live', async () => {
    const story = runWith(Array.from({ length: 200_000 }, (_, at) => `line ${at + 1}`))
    const { page } = await hq.open(story, { path: '/' })
    // Every text of the foot, and how often the page had its turn until all lines were there.
    await page.evaluate(`(() => {
      const seen = Object.assign(globalThis, { seen: { texts: [], turns: 0 } }).seen
      const turn = () => {
        const text = document.querySelector('footer[class*=pane-foot]')?.textContent ?? ''
        if (text !== seen.texts.at(-1)) seen.texts.push(text)
        if (!text.includes('Complete')) { seen.turns += 1; setTimeout(turn, 5) }
      }
      setTimeout(turn, 0)
    })()`)
    await page.goto(`${hq.url}#/runs/${story.runId}`)
    const log = page.getByRole('region', { name: 'Log', exact: true })
    await shown(log.getByText('Complete')).toBeVisible()
    await shown(log.getByText(/^200.000 lines$/)).toBeVisible()
    await shown(log.getByText('No gaps')).toBeVisible()
    const { texts, turns } = await page.evaluate<{ texts: string[]; turns: number }>('seen')
    expect(texts.filter((text) => text.includes('Live'))).toEqual([])
    expect(texts.some((text) => text.includes('Reading what was written'))).toBe(true)
    expect(turns).toBeGreaterThan(20)
    await leave(page)
  })

  test('an event that is missing is requested again, not skipped', async () => {
    const story = runWith(['one', 'two', 'three'])
    const events = story.events[story.runId] ?? []
    const { page } = await hq.open(
      { ...story, events: { [story.runId]: [...events.slice(0, 3), ...events.slice(4)] } },
      { path: `/runs/${story.runId}` },
    )
    const log = page.getByRole('region', { name: 'Log', exact: true })
    await shown(log.getByText('1 event missing')).toBeVisible()
    await expect
      .poll(
        async () =>
          (await requestsOf(page)).filter(
            ({ run_id, after }) => run_id === story.runId && after === 3,
          ).length,
      )
      .toBeGreaterThanOrEqual(2)
    await leave(page)
  })

  test('hostile text stays text: no markup, no reversed reading direction, no hidden character', async () => {
    const story = runWith([
      '<img src=x onerror="window.hit=1"><script>window.hit=1</script>',
      'user\u202Egnp.exe',
      '\u001b[8mhidden\u001b[0m \u001b[31mred\u001b[0m',
      '\u001b]0;title\u0007\u001b[2J\u001b[1;1Hcleared',
      'zero\u200Bwidth\rback',
    ])
    const { page, complaints } = await hq.open(story, { path: `/runs/${story.runId}` })
    const text = (at: number): Promise<string | null> =>
      page.locator(`[data-number="${at}"] [class*=pane-text]`).textContent()
    await shown(page.locator('[data-number="5"]')).toBeVisible()
    expect(await text(1)).toBe('<img src=x onerror="window.hit=1"><script>window.hit=1</script>')
    expect(await text(2)).toBe('user‹U+202E›gnp.exe')
    expect(await text(3)).toBe('hidden red')
    await shown(page.locator('[data-number="3"] [class*=ansi-red]')).toHaveText('red')
    expect(await text(4)).toBe('‹U+001B›]0;title‹U+0007›‹U+001B›[2J‹U+001B›[1;1Hcleared')
    expect(await text(5)).toBe('zero‹U+200B›width‹U+000D›back')
    expect(
      await page.evaluate(
        `[document.querySelectorAll('[class*=pane-rows] img, [class*=pane-rows] script').length, 'hit' in window]`,
      ),
    ).toEqual([0, false])
    expect(complaints).toEqual([])
    await leave(page)
  })

  test('search counts, marks and goes from match to match', async () => {
    const story = runWith(
      Array.from({ length: 3000 }, (_, at) =>
        at % 1000 === 500 ? `a needle at ${at}` : `hay ${at}`,
      ),
    )
    const { page } = await hq.open(story, { path: `/runs/${story.runId}` })
    const field = page.getByRole('searchbox', { name: 'Search the log' })
    await field.fill('NEEDLE')
    await shown(
      page.getByRole('region', { name: 'Log', exact: true }).getByRole('status'),
    ).toHaveText('3')
    await field.press('Enter')
    await shown(page.locator('[class*=pane-selected] mark')).toHaveText('needle')
    await shown(page.locator('[data-number="501"]')).toHaveClass(/pane-selected/)
    await page.getByRole('button', { name: 'Next match' }).click()
    await shown(page.locator('[data-number="1501"]')).toHaveClass(/pane-selected/)
    await shown(
      page.getByRole('region', { name: 'Log', exact: true }).getByRole('status'),
    ).toHaveText('2 of 3')
    await leave(page)
  })
})

describe('a run', () => {
  test('that failed shows its class, the first error in view, what still serves and what is needed', async () => {
    const story = buildFailed()
    const { page, complaints } = await hq.open(story, { path: `/runs/${story.runId}` })
    const why = page.getByRole('region', { name: 'Why red' })
    await shown(why).toContainText('The build failed')
    await shown(why).toContainText('console_build_failed')
    await shown(why).toContainText('desktop/renderer/overview/OverviewPage.tsx:7')
    await shown(why).toContainText('9d02a51c8e7f serves now. Nothing was stopped.')
    await shown(why).toContainText('Needs you: Fix the change, commit it, and press Ship.')
    const error = page.locator('[class*=log-error]')
    await shown(error).toBeInViewport()
    await shown(error).toContainText('Could not resolve "./gateLine" in overview/OverviewPage.tsx')
    await shown(page.getByRole('group', { name: 'Start: Not reached' })).toBeVisible()
    await page
      .getByRole('complementary', { name: 'Facts' })
      .getByRole('link', { name: 'triage.json' })
      .click()
    await shown(page.getByRole('region', { name: 'triage.json' })).toContainText('Format')
    expect(complaints).toEqual([])
    await leave(page)
  })

  test('is cancelled only after a confirmation that names it', async () => {
    const story = deploying()
    story.answers['host.cancel'] = { ok: true }
    const { page } = await hq.open(story, { path: `/runs/${story.runId}` })
    await page.getByRole('button', { name: 'Cancel' }).click()
    const dialog = page.getByRole('alertdialog', { name: 'Cancel Deploy+Verify 8f3a9c1e?' })
    await dialog.getByRole('button', { name: 'Keep it running' }).click()
    expect((await callsOf(page)).filter(({ name }) => name === 'host.cancel')).toEqual([])
    await page.getByRole('button', { name: 'Cancel' }).click()
    await dialog.getByRole('button', { name: 'Cancel the run' }).click()
    await shown(dialog).toBeHidden()
    await expect
      .poll(async () => (await callsOf(page)).filter(({ name }) => name === 'host.cancel'))
      .toEqual([{ name: 'host.cancel', input: { run_id: story.runId } }])
    await leave(page)
  })
})

import { describe, expect, test } from 'vitest'
import type { CancelView, Overview } from '#shared/bridge'
import type { Run } from '#shared/run'
import { shown } from '../../support/browser.ts'
import { leave, rendererInBrowser } from './support/pages.ts'
import { ago } from './support/documents.ts'
import { info, type Scene } from './support/scenes.ts'
import { callsOf, change, holdBack } from './support/scripted-transport.ts'
import { deploying, done, offline } from './support/deploy-stories.ts'
import { shipping } from './support/ship-stories.ts'

const hq = rendererInBrowser()

const lost: NonNullable<CancelView['problem']> = {
  error_class: 'hostd_unreachable',
  message: 'aiops-1 cannot be reached: nothing listens at its address.',
  next_auto_fix: 'retry_when_reachable',
}
const overviewOf = (story: Scene): Overview => story.answers['overview.get'] as Overview
const with_ = (story: Scene, over: Partial<Overview>): Scene => ({
  ...story,
  answers: { ...story.answers, 'overview.get': { ...overviewOf(story), ...over } },
})
/** The same deploy, as the host tells that it is being cancelled. */
const seenByHost = (story: Scene, cancel_asked_at: string): Scene => {
  const { status } = overviewOf(story)
  if (!status) throw new Error('the story has a status')
  return with_(story, {
    status: {
      ...status,
      active_runs: status.active_runs.map((run): Run => ({ ...run, cancel_asked_at })),
    },
  })
}
const away = (story: Scene): Scene => with_(story, { connection: overviewOf(offline()).connection })

describe('a run whose cancel was requested', () => {
  test('says so at once, with the time, and allows no second request until there is an answer', async () => {
    const story = deploying()
    const { page } = await hq.open(
      { ...story, answers: { ...story.answers, 'host.cancel': { ok: true } } },
      { path: `/runs/${story.runId}` },
    )
    await holdBack(page, 'host.cancel')
    await page.getByRole('button', { name: 'Cancel', exact: true }).click()
    await page.getByRole('alertdialog').getByRole('button', { name: 'Cancel the run' }).click()
    const button = page.getByRole('button', { name: 'Cancelling…' })
    await shown(button).toHaveAttribute('aria-disabled', 'true')
    await shown(page.getByText(/^Cancelling since \d\d:\d\d:\d\d \S+, \d+ s so far/)).toBeVisible()
    await button.click({ force: true })
    await shown(page.getByRole('alertdialog')).toHaveCount(0)
    expect((await callsOf(page)).filter(({ name }) => name === 'host.cancel')).toEqual([
      { name: 'host.cancel', input: { run_id: story.runId } },
    ])
    // Other buttons are not held up by it.
    await page.getByRole('link', { name: /^Doctor & ports/ }).click()
    await shown(page.getByRole('button', { name: 'Run port audit' })).not.toHaveAttribute(
      'aria-disabled',
      'true',
    )
    await leave(page)
  })

  test('still says so after a reload, on its page and on the Overview, as HQ or the host remembers it', async () => {
    const story = deploying()
    const asked_at = ago(7)
    for (const remembered of [
      with_(story, { cancels: [{ source: 'host', run_id: story.runId, asked_at, problem: null }] }),
      seenByHost(story, asked_at),
    ]) {
      const { page } = await hq.open(remembered, { path: `/runs/${story.runId}` })
      await page.reload()
      await shown(page.getByRole('button', { name: 'Cancelling…' })).toBeVisible()
      await page.getByRole('link', { name: /^Overview/ }).click()
      const card = page.getByRole('region', { name: 'Active run' })
      await shown(card.getByRole('button', { name: 'Cancelling…' })).toBeVisible()
      await shown(card).toContainText(/Cancelling since \d\d:\d\d:\d\d/)
      await leave(page)
    }
  })

  test('stays on every page while the host is unreachable, with its time, and its end is not known', async () => {
    const story = seenByHost(deploying(), ago(260))
    const { page } = await hq.open(away(story), { path: '/proofs' })
    await shown(
      page.getByText('Deploy+Verify was being cancelled when aiops-1 was last seen.'),
    ).toBeVisible()
    await page.getByRole('link', { name: 'Open run' }).click()
    await shown(
      page.getByText(/aiops-1 does not answer meanwhile, so it is not known whether it has ended/),
    ).toBeVisible()
    await shown(page.getByText('was being cancelled when')).toHaveCount(0)
    await leave(page)
  })

  test('disappears from every page once the run has ended', async () => {
    const story = deploying()
    const { page } = await hq.open(
      with_(story, {
        cancels: [{ source: 'host', run_id: story.runId, asked_at: ago(3), problem: lost }],
      }),
    )
    await shown(
      page.getByText('Deploy+Verify was not cancelled, as far as is known.'),
    ).toBeVisible()
    await change(page, { answers: { 'overview.get': { ...overviewOf(done()), cancels: [] } } })
    await shown(page.getByText(/cancel/i)).toHaveCount(0)
    await leave(page)
  })
})

describe('a cancel that did not work', () => {
  test('names its class, what is not known, and what to do; and can be requested again', async () => {
    const story = deploying()
    const { page } = await hq.open(
      { ...story, problems: { 'host.cancel': lost } },
      { path: `/runs/${story.runId}` },
    )
    await page.getByRole('button', { name: 'Cancel', exact: true }).click()
    await change(page, {
      answers: with_(story, {
        cancels: [{ source: 'host', run_id: story.runId, asked_at: ago(1), problem: lost }],
      }).answers,
    })
    await page.getByRole('alertdialog').getByRole('button', { name: 'Cancel the run' }).click()
    const note = page.getByRole('alert')
    await shown(note).toContainText('hostd_unreachable')
    await shown(note).toContainText('aiops-1 cannot be reached: nothing listens at its address.')
    await shown(note).toContainText('The run goes on unless the request arrived.')
    await shown(page.getByRole('button', { name: 'Cancel again' })).not.toHaveAttribute(
      'aria-disabled',
      'true',
    )
    await shown(page.getByText('Not started')).toHaveCount(0)
    await leave(page)
  })

  test('a host that shows the cancel counts more than an answer that got lost', async () => {
    const { runId, ...deploy } = deploying()
    const story = seenByHost(deploy, ago(9))
    const { page } = await hq.open(
      with_(story, {
        cancels: [{ source: 'host', run_id: runId, asked_at: ago(9), problem: lost }],
      }),
      { path: `/runs/${runId}` },
    )
    await shown(page.getByRole('button', { name: 'Cancelling…' })).toBeVisible()
    await shown(page.getByRole('alert')).toHaveCount(0)
    await leave(page)
  })

  test('is shown in the console too, where no HQ remembers it', async () => {
    const story = deploying()
    const { cancels: _none, ...plain } = overviewOf(story)
    const { page } = await hq.open(
      {
        ...story,
        answers: {
          ...story.answers,
          'app.info': info({ mode: 'console', operator: false }),
          'overview.get': plain,
        },
        problems: { 'host.cancel': lost },
      },
      { path: `/runs/${story.runId}` },
    )
    await page.getByRole('button', { name: 'Cancel', exact: true }).click()
    await page.getByRole('alertdialog').getByRole('button', { name: 'Cancel the run' }).click()
    await shown(page.getByRole('alert')).toContainText(
      'The run goes on unless the request arrived.',
    )
    await shown(page.getByRole('button', { name: 'Cancel again' })).toBeVisible()
    await leave(page)
  })

  test('of a ship is shown on the Ship page, with the class it has', async () => {
    const story = shipping()
    const problem: CancelView['problem'] = {
      error_class: 'internal_error',
      message: 'Processes 4711 of the ship cannot be ended: a system call blocks them.',
      next_auto_fix: 'report_bug',
    }
    const { page } = await hq.open(
      with_(story, {
        cancels: [{ source: 'ship', run_id: story.runId, asked_at: ago(20), problem }],
      }),
      { path: '/runs' },
    )
    await page.getByRole('link', { name: 'Open ship' }).click()
    await shown(page.getByRole('alert')).toContainText('Processes 4711 of the ship cannot be ended')
    await shown(page.getByRole('button', { name: 'Cancel again' })).toBeVisible()
    await leave(page)
  })
})

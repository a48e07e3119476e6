import type { Overview } from '#shared/bridge'
import { describe, expect, test } from 'vitest'
import { shown } from '../../support/browser.ts'
import { leave, rendererInBrowser } from './support/pages.ts'
import { settings, type Scene } from './support/scenes.ts'
import { buildFailed, offline } from './support/deploy-stories.ts'
import { cancelledShip } from './support/ship-stories.ts'

const hq = rendererInBrowser()

/** The same story, with the host silent since four minutes. */
function away(story: Scene): Scene {
  const known = story.answers['overview.get'] as Overview
  const { connection } = offline().answers['overview.get'] as Overview
  return {
    ...story,
    answers: {
      ...story.answers,
      'overview.get': {
        ...known,
        connection: {
          ...connection,
          detail: 'aiops-1 cannot be reached: it does not answer.',
        },
      },
    },
  }
}

describe('a ship that somebody cancelled', () => {
  test('is shown as cancelled, and nothing of it is red', async () => {
    const { page } = await hq.open(cancelledShip())
    await shown(page.getByRole('heading', { level: 1 })).toHaveText('The ship was cancelled')
    await shown(page.getByRole('listitem', { name: 'Tests: Cancelled' })).toBeVisible()
    await page.getByRole('link', { name: 'Ship, cancelled' }).click()
    await shown(page.getByRole('region', { name: 'Why red' })).toContainText(
      'The run was cancelled',
    )
    await shown(page.locator('.status.fail, .why.fail, [class*=rail-item].fail')).toHaveCount(0)
    await leave(page)
  })

  test('shows no first error for a count of 0 failures', async () => {
    const { page } = await hq.open(cancelledShip(), { path: '/ship' })
    await page.getByRole('tab', { name: 'Log' }).click()
    await shown(page.getByRole('log')).toContainText('pytest: 2 passed, 0 failed')
    await shown(page.getByRole('button', { name: 'First error' })).toHaveCount(0)
    await leave(page)
  })
})

test('shows a ship that ended before its first step as interrupted, and names no evidence without any', async () => {
  const story = cancelledShip()
  const known = story.answers['overview.get'] as Overview
  const result = known.ship?.result
  if (!result) throw new Error('the story has a ship that ended')
  Object.assign(result, { error_class: 'interrupted', step_failed: null, steps: [], artifacts: {} })
  const { page } = await hq.open({ ...story, events: {} }, { path: '/ship' })
  await shown(page.getByText('It was interrupted before its first step.')).toBeVisible()
  await shown(page.locator('[class*=ship-head] .chip').first()).toHaveText('Interrupted')
  await shown(page.getByRole('region', { name: 'Why red' })).not.toContainText('Evidence')
  await leave(page)
})

test('the first error is the line that failed, not the count before it that says 0 failed', async () => {
  const story = cancelledShip('tests_failed')
  const { page } = await hq.open(story, { path: '/ship' })
  await page.getByRole('tab', { name: 'Log' }).click()
  await shown(page.locator('[class*=log-error]')).toContainText('FAILED tests/test_greeting.py')
  await leave(page)
})

test('a stopped deploy is shown as requiring a person, not as retried', async () => {
  const story = buildFailed()
  const known = story.answers['overview.get'] as Overview
  const triage = known.status?.last_deploy.triage
  if (!triage) throw new Error('the story has a triage')
  Object.assign(triage, {
    error_class: 'git_fetch_failed',
    next_auto_fix: 'retry_when_reachable',
    retryable: false,
  })
  const { page } = await hq.open(story, { path: '/deploy' })
  const why = page.getByRole('region', { name: 'Why red' })
  await shown(why).toContainText(
    'Needs you: Press Deploy+Verify again once the remote answers; nothing tries again by itself.',
  )
  await shown(why).not.toContainText('Next automatic fix')
  await leave(page)
})

describe('while the host does not answer', () => {
  test('Doctor wraps its text at every width, and says as of when', async () => {
    for (const width of [800, 1024, 1440]) {
      const { page } = await hq.open(away(buildFailed()), { path: '/doctor', width })
      const title = page.getByRole('heading', { level: 1 })
      await shown(title).toHaveText(/^The checks passed before, as of \d\d:\d\d:\d\d \S+$/)
      const box = await title.boundingBox()
      expect(box?.height, String(width)).toBeLessThan(90)
      for (const button of await page.getByRole('button', { name: /: unreachable$/ }).all()) {
        const place = await button.boundingBox()
        expect((place?.x ?? 0) + (place?.width ?? 0), String(width)).toBeLessThanOrEqual(width)
      }
      await leave(page)
    }
  })

  test('Deploy+Verify says so in one word, and the reason of the last failure stays', async () => {
    const story = buildFailed()
    const { page } = await hq.open(
      {
        ...away(story),
        problems: {
          'host.run': {
            error_class: 'hostd_unreachable',
            message: 'It does not answer.',
            next_auto_fix: 'start_again',
          },
        },
      },
      { path: '/deploy' },
    )
    await shown(
      page.getByRole('button', { name: 'Deploy+Verify: unreachable' }),
    ).toHaveAccessibleDescription('aiops-1 cannot be reached: it does not answer.')
    await shown(page.getByRole('region', { name: 'Why red' })).toContainText('The build failed')
    await leave(page)
  })
})

test('a scripted provider misses no credential, and only the chosen provider requires one', async () => {
  const story = buildFailed()
  const provider = (id: string, scripted: boolean): object => ({
    id,
    label: id,
    base_url: 'http://127.0.0.1:1/v1',
    scripted,
    credential: 'missing',
  })
  story.answers['settings.get'] = {
    ...settings,
    review: {
      ...settings.review,
      provider: 'mine',
      providers: [provider('mine', false), provider('other', false), provider('demo', true)],
    },
  }
  const { page } = await hq.open(story, { path: '/settings' })
  const row = page.getByRole('list', { name: 'Accepted providers' }).getByRole('listitem')
  await shown(row.nth(2)).toContainText('Needs no credential')
  await shown(row.locator('.status.you')).toHaveCount(1)
  await shown(row.nth(0).locator('.status.you')).toHaveText('Credential missing')
  await leave(page)
})

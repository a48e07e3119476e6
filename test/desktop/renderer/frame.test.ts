import type { Page } from 'playwright'
import { describe, expect, test } from 'vitest'
import type { Overview, ShipKeyView } from '#shared/bridge'
import { shown } from '../../support/browser.ts'
import { leave, rendererInBrowser } from './support/pages.ts'
import { alarmedProofs, brokenProofs, openedProof } from './support/proof-stories.ts'
import { ago } from './support/documents.ts'
import { settings, type Scene } from './support/scenes.ts'
import { callsOf, change, shownHostOf } from './support/scripted-transport.ts'
import { buildFailed, deploying, done } from './support/deploy-stories.ts'
import { reviewBlocked } from './support/ship-stories.ts'

const hq = rendererInBrowser()

const statusOf = (story: Scene) => {
  const { status } = story.answers['overview.get'] as Overview
  if (!status) throw new Error('the story has a status')
  return status
}
const execs = async (page: Page) => (await callsOf(page)).filter(({ name }) => name === 'host.exec')

describe('the theme', () => {
  const refused = {
    'settings.set_theme': {
      error_class: 'disk_full' as const,
      message: 'The settings were not saved: the disk is full. They are as they were.',
      next_auto_fix: 'free_disk' as const,
    },
  }

  test('chosen in the palette and not saved goes back, and says why', async () => {
    const { page } = await hq.open({ ...done(), problems: refused })
    await page.keyboard.press('Control+k')
    await page.keyboard.type('dark theme')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await shown(page.getByRole('alert')).toContainText('The theme was not saved')
    await shown(page.getByRole('alert')).toContainText('disk_full')
    await shown(page.locator('html')).not.toHaveAttribute('data-theme', 'dark')
    await page.getByRole('button', { name: 'Dismiss' }).press('Enter')
    await shown(page.getByRole('alert')).toHaveCount(0)
    await leave(page)
  })

  test('chosen in Settings and not saved leaves the choice and the colours as they were', async () => {
    const { page } = await hq.open({ ...done(), problems: refused }, { path: '/settings' })
    await page.getByText('Dark', { exact: true }).click()
    await shown(page.getByRole('alert')).toContainText(
      'The settings were not saved: the disk is full.',
    )
    await shown(page.getByRole('radio', { name: 'As the system' })).toBeChecked()
    await shown(page.locator('html')).not.toHaveAttribute('data-theme', 'dark')
    await leave(page)
  })

  test('chosen in the palette shows in Settings as well', async () => {
    const story = done()
    const { page } = await hq.open(
      {
        ...story,
        answers: { ...story.answers, 'settings.set_theme': { ...settings, theme: 'dark' } },
      },
      { path: '/settings' },
    )
    await shown(page.getByRole('radio', { name: 'As the system' })).toBeChecked()
    await page.keyboard.press('Control+k')
    await page.keyboard.type('dark theme')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await shown(page.getByRole('radio', { name: 'Dark' })).toBeChecked()
    await shown(page.locator('html')).toHaveAttribute('data-theme', 'dark')
    await leave(page)
  })
})

describe('maintenance that a failed deploy left on', () => {
  test('can be ended in HQ, after a question that says who left it on and what serves', async () => {
    const story = buildFailed()
    const { page } = await hq.open(
      {
        ...story,
        answers: { ...story.answers, 'host.exec': { run_id: story.runId, joined: false } },
      },
      { path: '/deploy' },
    )
    await page.getByRole('button', { name: 'End maintenance' }).click()
    const dialog = page.getByRole('alertdialog', { name: 'End maintenance on aiops-1?' })
    await shown(dialog).toContainText(
      `Deploy ${story.runId.slice(-8)} left it on because it failed.`,
    )
    await shown(dialog).toContainText('9d02a51c8e7f keeps serving.')
    await dialog.getByRole('button', { name: 'Leave it on' }).click()
    expect(await execs(page)).toEqual([])
    await page.getByRole('button', { name: 'End maintenance' }).click()
    await shown(dialog).toBeVisible()
    // Another window selects another host: the question was about the former one.
    const now = story.answers['overview.get'] as Overview
    const url = 'https://edge-3.tail1234.ts.net'
    const connection = { ...now.connection, name: 'edge-3', url }
    await change(page, { answers: { 'overview.get': { ...now, connection } } })
    await shown(page.getByRole('alertdialog')).toHaveCount(0)
    await page.getByRole('button', { name: 'End maintenance' }).click()
    const again = page.getByRole('alertdialog', { name: 'End maintenance on edge-3?' })
    await again.getByRole('button', { name: 'End maintenance' }).click()
    await shown(page).toHaveURL(new RegExp(`#/runs/${story.runId}$`))
    expect(await shownHostOf(page, 'host.exec')).toBe(url)
    expect(await execs(page)).toEqual([
      { name: 'host.exec', input: { action: 'maintenance_clear' } },
    ])
    await leave(page)
  })

  test('or whose file cannot be read counts as on, says so, and can be ended too', async () => {
    const story = done()
    story.answers['overview.get'] = {
      ...(story.answers['overview.get'] as Overview),
      status: {
        ...statusOf(story),
        maintenance: { on: true, unreadable: 'the file is not JSON', file: null },
      },
    }
    const { page } = await hq.open(story)
    await shown(
      page.getByText('Its file cannot be read, so it counts as on: the file is not JSON'),
    ).toBeVisible()
    await page.getByRole('button', { name: 'End maintenance' }).first().click()
    await shown(page.getByRole('alertdialog')).toContainText('nobody knows what it protects')
    await leave(page)
  })

  test('G7 that a person put on says who and since when, and is ended with its button', async () => {
    const story = done()
    const at = new Date(Date.now() - 600_000).toISOString()
    story.answers['overview.get'] = {
      ...(story.answers['overview.get'] as Overview),
      status: {
        ...statusOf(story),
        maintenance: {
          on: true,
          unreadable: null,
          file: {
            schema_version: 1,
            deploy_run_id: null,
            reason: 'new disk',
            since: at,
            hold: { by: 'operator@example.com', reason: 'new disk', since: at },
          },
        },
      },
    }
    const { page } = await hq.open(story)
    await shown(page.getByText(/^Maintenance on for (9|10) m/)).toBeVisible()
    await shown(
      page.getByText(
        'Put on by operator@example.com: new disk. No deploy or rollback starts until it is ended.',
      ),
    ).toBeVisible()
    await page.getByRole('button', { name: 'End maintenance' }).first().click()
    await shown(page.getByRole('alertdialog')).toContainText(
      'Put on by operator@example.com: new disk.',
    )
    await leave(page)
  })

  test('is not offered to be ended while a deploy holds it', async () => {
    const story = deploying()
    const { page } = await hq.open(story, { path: '/deploy' })
    await shown(page.getByRole('heading', { level: 1 })).toHaveText(/^Deploying/)
    await shown(page.getByRole('button', { name: 'End maintenance' })).toHaveCount(0)
    await leave(page)
  })
})

test('a page of an earlier start of HQ says so, and announces no reconnect', async () => {
  const { page } = await hq.open(done())
  await change(page, {
    problems: {
      'overview.get': {
        error_class: 'forbidden',
        message:
          'HQ was restarted since this page was opened. Open it again from the window that shows its address.',
        next_auto_fix: 'enrol_host',
      },
    },
  })
  await shown(page.getByText('This page belongs to an earlier start of HQ.')).toBeVisible()
  await shown(page.getByText('reconnects by itself')).toHaveCount(0)
  await leave(page)
})

test('Settings lists the keys the host trusts, with owner and date, and revokes one after a question', async () => {
  const story = done()
  const view: ShipKeyView = {
    ...(story.answers['ship_key.get'] as ShipKeyView),
    host: {
      name: 'aiops-1',
      enrolled: true,
      enrolled_at: ago(7_300),
      detail: null,
      others: [
        { id: 'e'.repeat(32), label: 'old laptop', enrolled_at: ago(400_000) },
        { id: 'f'.repeat(32), label: null, enrolled_at: null },
      ],
    },
  }
  const { page } = await hq.open(
    {
      ...story,
      answers: {
        ...story.answers,
        'ship_key.get': view,
        'host.exec': { run_id: '20261122T231502Z-8f3a9c1e', joined: false },
      },
    },
    { path: '/settings' },
  )
  const keys = page.getByRole('list', { name: 'Keys that aiops-1 trusts' }).getByRole('listitem')
  await shown(keys).toHaveText([
    /^This laptopd+since 2 h agoRevoke$/,
    /^old laptope+since 4 d agoRevoke$/,
    /^From trust\.jsonf+no date$/,
  ])
  await page.getByRole('button', { name: 'Revoke the key of old laptop' }).click()
  const dialog = page.getByRole('alertdialog', { name: 'Revoke the key of old laptop?' })
  await shown(dialog).toContainText('counts as unreviewed')
  await dialog.getByRole('button', { name: 'Revoke it' }).click()
  await shown(page).toHaveURL(/#\/runs\/20261122T231502Z-8f3a9c1e$/)
  expect(await execs(page)).toEqual([
    { name: 'host.exec', input: { action: 'distrust_ship_key', params: { id: 'e'.repeat(32) } } },
  ])
  await leave(page)
})

/** Texts that somebody else writes: a commit, a branch, an error, a plan. */
const written = new Set(
  (
    'subject detail next_action message title text body summary reason actor branch name ship_blocked ' +
    'deploy_blocked who label version'
  ).split(' '),
)
const word = 'W'.repeat(320)

/** The same scene with a word of 320 characters in every text that somebody else writes. */
function withLongWords<T>(value: T, key = ''): T {
  if (typeof value === 'string') return (written.has(key) ? `${word} ${value}` : value) as T
  if (Array.isArray(value)) return value.map((each: unknown) => withLongWords(each, key)) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      name,
      // Names of steps, checks and gates are HQ's own.
      name === 'steps' || name === 'gates' ? each : withLongWords(each, name),
    ]),
  ) as T
}

test('U10 a word of 320 characters, a long reason and a line number of seven digits widen nothing', async () => {
  const failed = buildFailed()
  const opened = openedProof({ broken: true })
  const stories: [string, Scene][] = [
    ['/', withLongWords(buildFailed())],
    ['/', withLongWords(deploying())],
    [`/runs/${failed.runId}`, withLongWords(failed)],
    ['/ship', withLongWords(reviewBlocked())],
    ['/deploy', withLongWords(buildFailed())],
    ['/runs', withLongWords(buildFailed())],
    ['/proofs', withLongWords(alarmedProofs())],
    [opened.path, withLongWords(opened)],
    ['/doctor', withLongWords(buildFailed())],
    ['/settings', withLongWords(buildFailed())],
  ]
  const found: Record<string, string[]> = {}
  for (const [path, story] of stories) {
    const { page } = await hq.open(story, { path })
    await shown(page.getByRole('heading', { level: 1 })).toBeVisible()
    for (const width of [1440, 1000, 420]) {
      await page.setViewportSize({ width, height: 800 })
      // What is still read may move the page; what stays too wide is a fault.
      let wide = ['not measured']
      for (let times = 0; wide.length > 0 && times < 50; times += 1) {
        wide = await page.evaluate<string[]>(tooWide)
        if (wide.length > 0) await page.waitForTimeout(100)
      }
      if (wide.length > 0) found[`${path} at ${width}`] = wide
    }
    await leave(page)
  }
  expect(found).toEqual({})
})

/** What is wider than its place: the window, the page, the header and the sidebar, and each button in them. */
const tooWide = `(() => {
  const found = []
  const main = document.getElementById('main')
  for (const [name, element] of [['window', document.documentElement], ['page', main],
    ['header', document.querySelector('header')], ['sidebar', document.querySelector('aside')]])
    if (element.scrollWidth > element.clientWidth) found.push(name + ' ' + element.scrollWidth)
  for (const element of document.querySelectorAll('header button, header a, h1, main .button')) {
    const { left, right } = element.getBoundingClientRect()
    if (right > innerWidth + 0.5 || left < 0) found.push(element.tagName + ' ' + element.textContent.slice(0, 30))
  }
  return found
})()`

test('in a narrow window nothing is wider than it, on any page', async () => {
  const failed = buildFailed()
  const stories: [string, Scene][] = [
    ['/', deploying()],
    [`/runs/${failed.runId}`, failed],
    ['/ship', reviewBlocked()],
    ['/deploy', buildFailed()],
    ['/runs', buildFailed()],
    ['/proofs', brokenProofs()],
    ['/doctor', buildFailed()],
    ['/settings', buildFailed()],
  ]
  for (const [path, story] of stories) {
    const { page } = await hq.open(story, { path, width: 420, height: 800 })
    await shown(page.getByRole('heading', { level: 1 })).toBeVisible()
    await shown(page.getByRole('button', { name: 'Search or run' })).toBeInViewport({ ratio: 1 })
    await expect
      .poll(
        () =>
          page.evaluate(
            '[document.documentElement.scrollWidth - innerWidth, ' +
              `document.getElementById('main').scrollWidth - ` +
              `document.getElementById('main').clientWidth]`,
          ),
        { message: path, timeout: 120_000 },
      )
      .toEqual([0, 0])
    await leave(page)
  }
})

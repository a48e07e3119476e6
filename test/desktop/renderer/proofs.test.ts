import { readFileSync } from 'node:fs'
import type { Locator, Page } from 'playwright'
import type { Evidence } from '#shared/evidence'
import { describe, expect, test } from 'vitest'
import { shown } from '../../support/browser.ts'
import { fileContent } from './support/evidence-documents.ts'
import { leave, rendererInBrowser } from './support/pages.ts'
import {
  awayProofs,
  alarmedProofs,
  brokenProofs,
  buildLog,
  collectedFiles,
  openedProof,
  soundProofs,
} from './support/proof-stories.ts'
import { callsOf, change } from './support/scripted-transport.ts'
import { info, scene } from './support/scenes.ts'

const hq = rendererInBrowser()

/** Whether all of it lies in the window. */
async function inWindow(page: Page, element: Locator): Promise<void> {
  const { width, height } = page.viewportSize() ?? { width: 0, height: 0 }
  const box = await element.boundingBox()
  if (box === null) throw new Error('it is not drawn')
  expect(box.x).toBeGreaterThanOrEqual(0)
  expect(box.y).toBeGreaterThanOrEqual(0)
  expect(box.x + box.width).toBeLessThanOrEqual(width)
  expect(box.y + box.height).toBeLessThanOrEqual(height)
  expect(box.height).toBeGreaterThan(200)
}

describe('a file of a proof', () => {
  test('U1 opens in the window at any length, draws what is in view, and a link leads to any line', async () => {
    const lengths = [5, 30, 10_000, 200_000]
    const story = openedProof()
    const place = { side: 'host', folder: 'deploy', run_id: story.runId }
    for (const length of lengths)
      story.answers[`proofs.file ${JSON.stringify({ ...place, path: `${length}.log` })}`] =
        fileContent(Array.from({ length }, (_, at) => `line ${at + 1}\n`).join(''))
    const { page, complaints } = await hq.open(story, { path: story.path })
    for (const [width, height] of [
      [1440, 900],
      [800, 560],
      [400, 700],
    ] as const) {
      await page.setViewportSize({ width, height })
      for (const length of lengths) {
        await page.goto(`${hq.url}#${story.path}/${length}.log?line=${length}`)
        const pane = page.getByRole('region', { name: `${length}.log` })
        const line = pane.locator(`[data-line="${length}"]`)
        await shown(line).toContainText(`line ${length}`)
        await shown(line).toBeInViewport()
        await shown(line).toHaveClass(/pane-selected/)
        await inWindow(page, pane)
        expect(await pane.locator('[data-line]').count()).toBeLessThan(150)
        await pane.getByRole('group', { name: `${length}.log` }).press('Home')
        await shown(pane.locator('[data-line="1"]')).toBeInViewport()
      }
    }
    expect(complaints).toEqual([])
    await leave(page)
  })

  test('is coloured, searched, linked line by line, and downloaded byte by byte', async () => {
    const story = openedProof()
    const { page, complaints } = await hq.open(story, {
      path: `${story.path}/console_build.log`,
    })
    await shown(page).toHaveTitle(
      `console_build.log of deploy ${story.runId.slice(-8)} · Proofs · OpenClaw HQ`,
    )
    const pane = page.getByRole('region', { name: 'console_build.log' })
    await shown(pane.locator('[data-line="19"] [class*=ansi-yellow]')).toHaveText('warn')
    const field = pane.getByRole('searchbox', { name: 'Search this file' })
    await field.fill('DEPRECATED')
    await shown(pane.getByRole('status')).toHaveText('36')
    await field.press('Enter')
    await field.press('Enter')
    await shown(pane.getByRole('status')).toHaveText('2 of 36')
    await shown(page).toHaveURL(/console_build\.log\?line=69$/)
    await shown(pane.locator('[data-line="69"] mark')).toHaveText('deprecated')
    await pane.getByRole('link', { name: 'Line 71', exact: true }).click()
    await shown(page).toHaveURL(/console_build\.log\?line=71$/)
    const [saved] = await Promise.all([
      page.waitForEvent('download'),
      pane.getByRole('button', { name: 'Download console_build.log' }).click(),
    ])
    expect(saved.suggestedFilename()).toBe('console_build.log')
    expect(readFileSync(await saved.path(), 'utf8')).toBe(buildLog(1817))
    // A link in another tab shows the same line.
    await page.reload()
    await shown(pane.locator('[data-line="71"]')).toHaveClass(/pane-selected/)
    const tree = page.getByRole('navigation', { name: 'Files' })
    await tree.getByRole('link', { name: /^events.ndjson/ }).click()
    const events = page.getByRole('region', { name: 'events.ndjson' })
    await shown(events.locator('[data-line="2"] [class*=ansi-green]')).toHaveText('fetched')
    await events.getByText('Raw', { exact: true }).click()
    await shown(events.locator('[data-line="2"]')).toContainText('"type":"log"')
    await tree.getByRole('link', { name: /^empty.log/ }).click()
    await shown(page.getByText('0 bytes, as sealed')).toBeVisible()
    await page.goBack()
    await page.goBack()
    await shown(pane.locator('[data-line="71"]')).toBeInViewport()
    expect(complaints).toEqual([])
    await leave(page)
  })

  test('stands beside a button that exports the statements of a verified proof, and of no other', async () => {
    const story = openedProof()
    story.answers['proofs.export'] = { text: 'a statement\nthe keys\n' }
    const { page, complaints } = await hq.open(story, { path: story.path })
    const button = page.getByRole('button', { name: 'Export', exact: true })
    const [saved] = await Promise.all([page.waitForEvent('download'), button.click()])
    expect(saved.suggestedFilename()).toBe(`${story.runId}.intoto.jsonl`)
    expect(readFileSync(await saved.path(), 'utf8')).toBe('a statement\nthe keys\n')
    expect(complaints).toEqual([])
    await leave(page)
    const broken = await hq.open(openedProof({ broken: true }), { path: story.path })
    await shown(broken.page.getByRole('button', { name: 'Export', exact: true })).toHaveAttribute(
      'aria-disabled',
      'true',
    )
    await leave(broken.page)
  })

  test('of a broken proof is a readable document, with what differs, both digests and what to do', async () => {
    const story = openedProof({ broken: true })
    story.answers['host.exec'] = { run_id: story.runId, joined: false }
    const { page, complaints } = await hq.open(story, { path: story.path })
    await shown(page.getByRole('heading', { level: 1 })).toHaveText(
      /^Proof #413, deploy of .*Broken$/,
    )
    const pane = page.getByRole('region', { name: 'deploy_result.json' })
    await shown(pane).toContainText('Unanswered for')
    await shown(pane.locator('[data-line="4"]')).toContainText('Pass')
    const step = pane.getByRole('button', { name: 'console_build' })
    await shown(step).toHaveAttribute('aria-expanded', 'false')
    await step.click()
    await shown(step).toHaveAttribute('aria-expanded', 'true')
    await pane.getByText('Raw', { exact: true }).click()
    await shown(pane.locator('[data-line="1"]')).toHaveText('1{')
    const why = page.getByRole('complementary', { name: 'Why this proof is broken' })
    const evidence = story.answers['proofs.evidence'] as Evidence
    const file = evidence.files.find(({ path }) => path === 'deploy_result.json')
    const spaced = (digest = ''): string => digest.match(/.{8}/g)?.join(' ') ?? ''
    await shown(why).toContainText('file_digest')
    await shown(why).toContainText(spaced(file?.sealed?.sha256))
    await shown(why).toContainText(spaced(file?.found_sha256 ?? ''))
    await shown(why).toContainText(/Last seen whole by this laptop.*10 m ago/)
    await shown(why).toContainText(/First seen broken.*5 m ago/)
    await shown(why).toContainText('6 of 7 files')
    await why.getByRole('button', { name: /^Deploy 9d02a51c8e7f again$/ }).click()
    await expect
      .poll(async () => (await callsOf(page)).filter(({ name }) => name === 'host.exec'))
      .toEqual([{ name: 'host.exec', input: { action: 'deploy_and_verify' } }])
    expect(complaints).toEqual([])
    await leave(page)
  })

  test('that Phase 0 collected is a table with search, and every text in it is only text', async () => {
    const story = collectedFiles()
    const { page, complaints } = await hq.open(story, { path: story.path })
    const pane = page.getByRole('region', { name: 'gmail_harvest.jsonl' })
    const table = pane.getByRole('table', { name: 'gmail_harvest.jsonl' })
    await shown(table).toHaveAttribute('aria-rowcount', '3001')
    await shown(table.locator('[data-line="1"]')).toBeVisible()
    await shown(table.getByRole('columnheader')).toHaveText([
      'Line',
      'Date',
      'From',
      'To',
      'Subject',
      'Labels',
      'Attachments',
      'Id',
    ])
    await shown(table.locator('[data-line="2"]')).toContainText(
      '<img src=x onerror="window.hit=1"> ‹U+202E›gnp.exe',
    )
    await shown(table.locator('[data-line="1"]')).toContainText('report.pdf (182 kB)')
    expect(await table.getByRole('row').count()).toBeLessThan(120)
    await pane.getByRole('searchbox').fill('number 2990')
    await shown(pane.getByRole('status')).toHaveText('1')
    await pane.getByRole('searchbox').press('Enter')
    await shown(table.locator('[data-line="2990"]')).toContainText('Report number 2990')
    await pane.getByText('Raw', { exact: true }).click()
    await shown(pane.locator('[data-line="2990"]')).toContainText('"subject":"Report number 2990"')
    await page.goto(`${hq.url}#${story.path.replace(/[^/]*$/, 'kajabi_library_snapshot.json')}`)
    const library = page.getByRole('table', { name: 'kajabi_library_snapshot.json' })
    await shown(library.getByRole('row').nth(2)).toHaveText('21Course 2/admin/products/2Products')
    await inWindow(page, library)
    expect(await page.evaluate(`'hit' in window`)).toBe(false)
    expect(complaints).toEqual([])
    await leave(page)
  })

  test('that is gone, too large or hostile says so, and changes nothing outside of its pane', async () => {
    const story = openedProof()
    const place = { side: 'host', folder: 'deploy', run_id: story.runId }
    const key = (path: string): string => `proofs.file ${JSON.stringify({ ...place, path })}`
    story.problems[key('large.log')] = {
      error_class: 'body_too_large',
      message: 'large.log has 99 bytes; at most 16 are sent at once. The file is untouched.',
      next_auto_fix: 'start_again',
    }
    story.answers[key('one-line.log')] = fileContent('x'.repeat(3_000_000))
    story.answers[key('hostile.log')] = fileContent(
      '<img src=x onerror="window.hit=1">\n\u001b]0;title\u0007\u202Egnp.exe\n',
    )
    story.answers[key('deep.json')] = fileContent(`${'['.repeat(50_000)}${']'.repeat(50_000)}`)
    story.answers[key('doubled.json')] = fileContent(
      '{"__proto__": {"overall": "FAIL"}, "overall": "PASS", "overall": "FAIL"}',
    )
    story.answers[key('half.log')] = { ...fileContent('head\n'), size: 90_000_000, truncated: true }
    const { page, complaints } = await hq.open(story, {
      path: `${story.path}/large.log`,
    })
    const at = async (path: string): Promise<Locator> => {
      await page.goto(`${hq.url}#${story.path}/${path}`)
      return page.getByRole('region', { name: path })
    }
    await shown(page.getByRole('alert')).toContainText('at most 16 are sent at once')
    const long = await at('one-line.log')
    await shown(long).toContainText('2990000 more characters')
    await inWindow(page, long)
    const hostile = await at('hostile.log')
    await shown(hostile).toContainText('<img src=x onerror="window.hit=1">')
    await shown(hostile).toContainText('‹U+001B›]0;title‹U+0007›‹U+202E›gnp.exe')
    const deep = await at('deep.json')
    await shown(deep.locator('[data-line]')).toHaveCount(2)
    await inWindow(page, deep)
    const doubled = await at('doubled.json')
    await shown(doubled.locator('[data-line]')).toHaveCount(4)
    await shown(await at('half.log')).toContainText('Only the first 5 B are shown')
    await shown(page.getByRole('navigation', { name: 'Files' })).toBeVisible()
    expect(await page.evaluate(`'hit' in window`)).toBe(false)
    expect(complaints).toEqual([])
    await leave(page)
  })
})

describe('the Proofs page', () => {
  test('says that the proofs hold, with what laptop and host find of each, and when it was witnessed', async () => {
    const { page, complaints } = await hq.open(soundProofs(), { path: '/proofs' })
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
    await leave(page)
  })

  test('names the file and the class of a broken bundle, and every other problem behind it', async () => {
    const { page } = await hq.open(brokenProofs(), { path: '/proofs' })
    await shown(page.getByRole('heading', { level: 1 })).toHaveText('1 proof is broken')
    const row = page.getByRole('row', { name: /verify_production\.json/ })
    await shown(row).toContainText('The content of a file differs')
    // It stands first, whatever came after it.
    await shown(page.getByRole('row').nth(1)).toContainText('verify_production.json')
    await shown(row).toContainText('file_digest')
    await shown(row.getByRole('link', { name: 'Why, all 2' })).toHaveAttribute(
      'href',
      /^#\/proofs\/host\/deploy\/[^/]+$/,
    )
    await leave(page)
  })

  test('shows an alarm on every page, ends it only with a reason, and names the key then trusted', async () => {
    const story = alarmedProofs()
    const { page } = await hq.open(story)
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
    await leave(page)
  })

  test('keeps what was witnessed of an unreachable host, and says as of when', async () => {
    const { page } = await hq.open(awayProofs(), { path: '/proofs' })
    await shown(
      page.getByText(/aiops-1 cannot be reached now; what it found is as of \d\d:\d\d:\d\d/),
    ).toBeVisible()
    await shown(page.getByRole('row', { name: /Deploy/ }).first()).toContainText('Verified')
    await shown(page.getByRole('row', { name: /Seen before/ })).toContainText('not known')
    await leave(page)
  })

  test('is empty before the first run, and in the console says who the witness is', async () => {
    const { page } = await hq.open(
      scene({ 'app.info': info({ mode: 'console', operator: false }) }),
      { path: '/proofs' },
    )
    await shown(page.getByRole('heading', { level: 1 })).toHaveText('No proof yet')
    await shown(page.getByText('a host cannot be its own witness')).toBeVisible()
    await shown(page.getByRole('button', { name: 'Check all again' })).toHaveCount(0)
    await leave(page)
  })
})

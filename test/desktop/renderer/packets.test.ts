import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { shown } from '../../support/browser.ts'
import { leave, rendererInBrowser } from './support/pages.ts'
import { shipResult } from './support/documents.ts'
import { overview, scene, shipDetail } from './support/scenes.ts'

const hq = rendererInBrowser()

test('the verdict of a large change lists its packets, what was flagged and what was handled by rule', async () => {
  const result = shipResult()
  const detail = shipDetail(result)
  if (!detail.verdict) throw new Error('the typical ship is approved')
  const sha256 = 'a'.repeat(64)
  const packet = (index: number, files: string[]) => ({
    index,
    files,
    diff_sha256: sha256,
    prompt_sha256: sha256,
    nonce: 'b'.repeat(64),
    usage: null,
  })
  detail.verdict.packets = [
    packet(1, ['hostd/routes/artifacts.ts', 'shared/errors.ts']),
    packet(2, ['test/hostd/artifacts.test.ts']),
  ]
  detail.verdict.flags = ['app.mjs:3: invisible characters: U+200B']
  detail.verdict.files[1] = {
    path: 'logo.png',
    status: 'added',
    binary: true,
    additions: 0,
    deletions: 0,
    handling: 'binary: named by blob and size, content not shown',
  }
  const summary = { run_id: result.run_id, active: false, step: null, result }
  const story = scene({
    'overview.get': overview({ ship: summary }),
    'ship.list': { ships: [summary] },
    'ship.get': detail,
  })
  const { page, complaints } = await hq.open(story, { path: `/ship/${result.run_id}` })
  const packets = page.getByRole('region', { name: 'Packets' })
  await shown(packets.getByRole('listitem')).toHaveText(
    [
      '1. hostd/routes/artifacts.ts and 1 more aaaaaaaaaaaa',
      '2. test/hostd/artifacts.test.ts aaaaaaaaaaaa',
    ].map((text) => new RegExp(text.replaceAll(' aaa', '\\s*aaa').replaceAll('.', '\\.'))),
  )
  await shown(page.getByRole('list', { name: 'Reviewed with special care' })).toContainText(
    'U+200B',
  )
  await shown(page.getByRole('list', { name: 'Handled by rule' })).toContainText('logo.png: binary')
  expect(complaints).toEqual([])
  await leave(page)
})

test('U9 a file is listed once, under its own name, whatever is in the name', async () => {
  const names = [
    '<img src=x onerror="alert(1)">.txt',
    'b/a b.txt',
    'größe "groß".txt',
    'tab\there.txt',
    'with space .txt',
    'right\u202eleft.txt',
  ]
  const repo = mkdtempSync(join(tmpdir(), 'names-'))
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', repo, ...args], { encoding: 'utf8' })
  git('init', '--quiet')
  mkdirSync(join(repo, 'b'))
  for (const name of names) writeFileSync(join(repo, name), 'one\n')
  git('add', '--all')
  const result = shipResult()
  const detail = shipDetail(result, {
    diff: git('diff', '--cached', '--no-ext-diff'),
    files: names,
  })
  rmSync(repo, { recursive: true })
  const story = scene({
    'overview.get': overview({ ship: detail.summary }),
    'ship.list': { ships: [detail.summary] },
    'ship.get': detail,
  })
  const { page, complaints } = await hq.open(story, { path: `/ship/${result.run_id}` })
  const list = page.getByRole('navigation', { name: 'Changed files' })
  await shown(list.getByRole('heading')).toHaveText('6 files+6 −0')
  await shown(list.getByRole('button')).toHaveCount(names.length)
  for (const name of names) {
    const shownName = name.replace('\t', ' ').replace('\u202e', '‹U+202E›')
    await list.getByRole('button', { name: `${shownName} +1 −0` }).click()
    await shown(page.getByRole('region', { name: `Changes of ${shownName}` })).toBeVisible()
  }
  await shown(page.locator('img')).toHaveCount(0)
  expect(complaints).toEqual([])
  await leave(page)
})

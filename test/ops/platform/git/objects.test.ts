import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readInPieces } from '#ops/platform/git/objects'
import { inspectHazards } from '#ops/features/ship/hazards/hazards'

const dir = mkdtempSync(join(tmpdir(), 'openclaw-objects-'))
const git = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@localhost', ...args], {
    cwd: dir,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: dir },
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim()
const object = (id: string): string => join(dir, '.git', 'objects', id.slice(0, 2), id.slice(2))
beforeAll(() => {
  git('init', '--quiet')
  git('commit', '--quiet', '--allow-empty', '-m', 'One')
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

it('a blob that cannot be read is an error, not an empty file', async () => {
  const blob = { id: '0123456789'.repeat(4), size: 1 }
  await expect(readInPieces(dir, blob, { onBytes: () => undefined })).rejects.toMatchObject({
    errorClass: 'internal_error',
    message: expect.stringContaining('0123456789') as string,
  })
})

it('a link whose target cannot be read is not taken for one that leads nowhere', async () => {
  const link = (name: string, target: string): string => {
    symlinkSync(target, join(dir, name))
    git('add', '--all')
    git('commit', '--quiet', '-m', name)
    return git('rev-parse', 'HEAD')
  }
  const [base, head] = [link('up', '..'), link('by-up', 'up/outside')]
  await expect(inspectHazards({ repo: dir, base, head }, {})).rejects.toMatchObject({
    errorClass: 'link_outside',
  })
  rmSync(object(git('rev-parse', `${head}:up`)))
  await expect(inspectHazards({ repo: dir, base, head }, {})).rejects.toMatchObject({
    errorClass: 'internal_error',
    message: expect.stringContaining('the link up leads') as string,
  })
})

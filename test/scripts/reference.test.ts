import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const pages = ['api.md', 'checks.md', 'cli.md', 'configuration.md', 'errors.md', 'openapi.json']

const reference = (...args: string[]) =>
  execa(process.execPath, ['scripts/reference.mjs', ...args], { reject: false })

describe('docs/reference', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'reference-'))
  })
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  it('holds what the code makes; `npm run reference` writes it', async () => {
    const { exitCode, stderr } = await reference('--check')
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  })

  it('is written whole, and refused by name when a page was edited or is missing', async () => {
    expect((await reference(folder)).exitCode).toBe(0)
    expect(readdirSync(folder).toSorted()).toEqual(pages)
    expect((await reference('--check', folder)).exitCode).toBe(0)

    appendFileSync(join(folder, 'errors.md'), 'edited\n')
    rmSync(join(folder, 'cli.md'))
    const { exitCode, stderr } = await reference('--check', folder)
    expect(exitCode).toBe(1)
    expect(stderr.split('\n')).toEqual([
      expect.stringMatching(/cli\.md differs from the code\. Run `npm run reference`/),
      expect.stringMatching(/errors\.md differs from the code\. Run `npm run reference`/),
    ])
  })
})

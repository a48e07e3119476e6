import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { parseNextAction } from '#ops/core/config/next-action'
import { readProjectConfig } from '#ops/core/config/settings-files'
import { enrolment, hostSettings, operatorSettings, projectConfig, trustFile } from '#shared/config'
import { brokenLinks, longLines, markdownFiles, missingPaths } from './support/markdown.ts'

const root = process.cwd()
const readPage = (path: string): string => readFileSync(join(root, path), 'utf8')
const reference = readPage('docs/reference/configuration.md')
const configuration = `${readPage('docs/CONFIGURATION.md')}\n${reference}`

/** Names of all fields of a schema, at any depth. */
function fieldsOf(node: unknown, found: Set<string> = new Set()): Set<string> {
  if (Array.isArray(node)) for (const each of node) fieldsOf(each, found)
  else if (node !== null && typeof node === 'object') {
    for (const [key, value] of Object.entries(node)) {
      if (key === 'properties') for (const name of Object.keys(value as object)) found.add(name)
      if (key !== 'default') fieldsOf(value, found)
    }
  }
  return found
}

/** Fields without a description, at any depth, by path. */
function undescribed(node: unknown, path = ''): string[] {
  if (Array.isArray(node)) return node.flatMap((each) => undescribed(each, path))
  if (node === null || typeof node !== 'object') return []
  return Object.entries(node).flatMap(([key, value]) => {
    if (key === 'default') return []
    if (key !== 'properties') return undescribed(value, path)
    return Object.entries(value as Record<string, { description?: string }>).flatMap(
      ([name, field]) => [
        ...(field.description ? [] : [`${path}${name}`]),
        ...undescribed(field, `${path}${name}.`),
      ],
    )
  })
}

describe('the pages of configuration', () => {
  describe.each([
    ['openclaw.config.json', projectConfig],
    ['host.json', hostSettings],
    ['trust.json', trustFile],
    ['settings.json', operatorSettings],
    ['enrolment.json', enrolment],
  ])('of %s', (_file, schema) => {
    const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })

    it('name every field', () => {
      const fields = [...fieldsOf(json)]
      expect(fields.length).toBeGreaterThan(2)
      expect(fields.filter((name) => !new RegExp(`[\`.\\]]${name}[\`[.]`).test(reference))).toEqual(
        [],
      )
    })

    it('have a meaning for every field', () => {
      expect(undescribed(json)).toEqual([])
    })
  })

  it('name every environment variable of the source', () => {
    const names = new Set<string>()
    for (const folder of ['shared', 'ops', 'hostd', 'desktop']) {
      for (const entry of readdirSync(join(root, folder), {
        recursive: true,
        withFileTypes: true,
      })) {
        if (!entry.isFile() || !/\.(?:ts|tsx|mjs)$/.test(entry.name)) continue
        for (const [name] of readFileSync(join(entry.parentPath, entry.name), 'utf8').matchAll(
          /\bOPENCLAW_[A-Z_]+\b/g,
        ))
          names.add(name)
      }
    }
    // File names, not variables.
    for (const file of ['OPENCLAW_NEXT', 'OPENCLAW_']) names.delete(file)
    expect([...names].filter((name) => !configuration.includes(`\`${name}\``))).toEqual([])
  })
})

describe('every Markdown page', () => {
  const pages = markdownFiles(root)

  it('is found', () => {
    expect(pages).toEqual(
      expect.arrayContaining(['README.md', 'CONTRIBUTING.md', 'docs/ARCHITECTURE.md']),
    )
  })

  it.each(pages)('keeps prose within 200 characters a line: %s', (page) => {
    expect(longLines(readPage(page), 200)).toEqual([])
  })

  it.each(pages)('links to files and headings that exist: %s', (page) => {
    expect(brokenLinks(root, page, readPage(page))).toEqual([])
  })

  it.each(pages)('names paths of the repository that exist: %s', (page) => {
    expect(missingPaths(root, readPage(page))).toEqual([])
  })

  it('would be refused with a long line, a broken link or a missing path', () => {
    const long = 'x'.repeat(201)
    expect(longLines(`${long}\n| ${long} |\n\`\`\`\n${long}\n\`\`\`\n`, 200)).toEqual([1])
    const links = '[a](docs/NO.md) [b](README.md#no-such) [c](README.md) [d](https://x.test/y)'
    expect(brokenLinks(root, 'README.md', links)).toEqual(['docs/NO.md', 'README.md#no-such'])
    const paths = '`shared/no.ts` `shared/` `ops/<name>.ts` `docs` `host.json`'
    expect(missingPaths(root, paths)).toEqual(['shared/no.ts'])
  })
})

describe('the claims of docs/SECURITY.md', () => {
  const table = readPage('docs/SECURITY.md')
    .split('## Who checks what\n')[1]
    ?.split('\n## ')[0]
    ?.split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(2)
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map(([, claim = '', by = '', means = '', named = '']) => ({ claim, by, means, named }))

  it('each name who checks them, with what, and a test that exists', () => {
    expect(table?.length).toBeGreaterThan(15)
    for (const { claim, by, means, named } of table ?? []) {
      expect([by, means], claim).not.toContain('')
      const [, file = '', name = ''] = /^`(test\/[^`]+)`: (.+)$/.exec(named) ?? []
      expect(name, claim).not.toBe('')
      expect(readPage(file), claim).toContain(name)
    }
  })
})

describe("the project's own files", () => {
  it('name exactly one next action', () => {
    expect(parseNextAction(readFileSync(join(root, 'docs', 'OPENCLAW_NEXT.md'), 'utf8'))).not.toBe(
      '',
    )
  })
  it('hold a valid openclaw.config.json', () => {
    expect(readProjectConfig(root).project).toBe('openclaw-hq')
  })
})

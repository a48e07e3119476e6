import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { parseNextAction } from '#ops/core/config/next-action'
import { readProjectConfig } from '#ops/core/config/settings-files'
import { enrolment, hostSettings, operatorSettings, projectConfig, trustFile } from '#shared/config'

const root = process.cwd()
const configuration = readFileSync(join(root, 'docs', 'CONFIGURATION.md'), 'utf8')

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

describe('docs/CONFIGURATION.md', () => {
  it.each([
    ['openclaw.config.json', projectConfig],
    ['host.json', hostSettings],
    ['trust.json', trustFile],
    ['settings.json', operatorSettings],
    ['enrolment.json', enrolment],
  ])('names every field of %s', (_file, schema) => {
    const fields = [...fieldsOf(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }))]
    expect(fields.length).toBeGreaterThan(2)
    expect(
      fields.filter((name) => !new RegExp(`[\`.\\]]${name}[\`[.]`).test(configuration)),
    ).toEqual([])
  })

  it('names every environment variable of the source', () => {
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

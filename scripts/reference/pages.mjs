// All pages of docs/reference/, by file name.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { format } from 'prettier'
import { root } from '../paths.mjs'
import { apiPage, openApi } from './api.mjs'
import { checksPage } from './checks.mjs'
import { cliPage } from './cli.mjs'
import { configurationPage } from './configuration.mjs'
import { errorsPage } from './errors.mjs'

/** @returns {Promise<Map<string, string>>} text by file name, formatted as the rest of the repository */
export async function referencePages() {
  const document = await openApi()
  const pages = {
    'openapi.json': JSON.stringify(document),
    'api.md': apiPage(document),
    'checks.md': checksPage(),
    'cli.md': cliPage(),
    'errors.md': errorsPage(),
    'configuration.md': configurationPage(),
  }
  const style = JSON.parse(readFileSync(join(root, '.prettierrc.json'), 'utf8'))
  const entries = await Promise.all(
    Object.entries(pages).map(async ([name, text]) => [name, await formatPage(name, text, style)]),
  )
  return new Map(entries)
}

const formatPage = (name, text, { overrides = [], ...style }) =>
  format(text, {
    ...style,
    ...(name.endsWith('.md') ? Object.assign({}, ...overrides.map(({ options }) => options)) : {}),
    filepath: name,
  })

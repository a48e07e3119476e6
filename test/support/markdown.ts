/** Reads Markdown as the tests of the documentation do: lines of prose, links, and paths in backticks. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Folders whose paths are checked wherever a page names one. */
const sourceFolders = ['shared', 'ops', 'hostd', 'desktop', 'test', 'scripts', 'docs']
const skippedFolders = new Set(['node_modules', 'out', 'artifacts', 'dist', 'test-results'])

/** Every Markdown file of the repository, relative to `root`; hidden folders are left out. */
export function markdownFiles(root: string, below = ''): string[] {
  return readdirSync(join(root, below), { withFileTypes: true }).flatMap((entry) => {
    const path = join(below, entry.name)
    if (entry.isFile()) return entry.name.endsWith('.md') ? [path] : []
    if (!entry.isDirectory() || entry.name.startsWith('.') || skippedFolders.has(entry.name))
      return []
    return markdownFiles(root, path)
  })
}

/** The lines of a page outside of code blocks. @returns each with its number */
function textLines(text: string): { line: number; content: string }[] {
  let inBlock = false
  return text.split('\n').flatMap((content, index) => {
    const fence = /^\s*```/.test(content)
    if (fence) inBlock = !inBlock
    return fence || inBlock ? [] : [{ line: index + 1, content }]
  })
}

/** Lines of prose, tables left out, with more than `limit` characters. */
export const longLines = (text: string, limit: number): number[] =>
  textLines(text).flatMap(({ line, content }) =>
    content.length > limit && !content.startsWith('|') ? [line] : [],
  )

const slug = (heading: string): string =>
  heading
    .replace(/[`*_]/g, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N} -]/gu, '')
    .replaceAll(' ', '-')

const anchorsOf = (file: string): Set<string> =>
  new Set(
    textLines(readFileSync(file, 'utf8')).flatMap(({ content }) => {
      const heading = /^#{1,6}\s+(.*?)\s*$/.exec(content)?.[1]
      return heading === undefined ? [] : [slug(heading)]
    }),
  )

/** Relative links of a page that lead to no file, or to no heading of it. @param page path below `root` */
export function brokenLinks(root: string, page: string, text: string): string[] {
  const body = textLines(text).map(({ content }) => content.replace(/`[^`]*`/g, ''))
  return [...body.join('\n').matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = '']) => {
    if (/^[a-z]+:/.test(target)) return []
    const [path = '', anchor] = target.split('#')
    const file = path === '' ? join(root, page) : join(root, dirname(page), path)
    if (!existsSync(file)) return [target]
    return anchor === undefined || anchorsOf(file).has(anchor) ? [] : [target]
  })
}

/**
 * Paths in backticks that look like paths of the repository and do not exist. A path with a placeholder (`<name>`, `*`,
 * `{a,b}`, `…`) names no file and is left out.
 */
export function missingPaths(root: string, text: string): string[] {
  const body = textLines(text).map(({ content }) => content)
  return [...body.join('\n').matchAll(/`([^`\s]+)`/g)].flatMap(([, path = '']) => {
    const [first = ''] = path.split('/')
    const isPath = sourceFolders.includes(first) && /^[\w.-]+(?:\/[\w.-]+)*\/?$/.test(path)
    return isPath && path.includes('/') && !existsSync(join(root, path)) ? [path] : []
  })
}

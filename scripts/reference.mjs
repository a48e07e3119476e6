#!/usr/bin/env node
// `npm run reference` writes docs/reference/ from the code. `--check` writes nothing: it compares, and ends with 1
// when a page differs. An optional folder replaces docs/reference/.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ownNode, root, say } from './paths.mjs'

const command = 'npm run reference'

/** @returns the pages on disk that differ from what the code makes */
function outdatedPages(folder, pages) {
  return [...pages].flatMap(([name, text]) => (readPage(join(folder, name)) === text ? [] : [name]))
}

function readPage(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return null
    throw error
  }
}

function writePages(folder, pages) {
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of pages) writeFileSync(join(folder, name), text)
}

async function main(args) {
  const folder = resolve(
    args.find((argument) => !argument.startsWith('--')) ?? join(root, 'docs', 'reference'),
  )
  const { referencePages } = await import('./reference/pages.mjs')
  const pages = await referencePages()
  const outdated = outdatedPages(folder, pages)
  if (args.includes('--check')) {
    for (const name of outdated)
      say(`${join(folder, name)} differs from the code. Run \`${command}\` and commit the result.`)
    return outdated.length === 0 ? 0 : 1
  }
  writePages(folder, pages)
  say(outdated.length === 0 ? 'docs/reference is up to date' : `Wrote ${outdated.join(', ')}`)
  return 0
}

// The code is TypeScript: it runs in Node 24, which may not be the Node that was started.
const script = fileURLToPath(import.meta.url)
if (Number(process.versions.node.split('.')[0]) < 24) {
  const { status } = spawnSync(ownNode(), [script, ...process.argv.slice(2)], { stdio: 'inherit' })
  process.exitCode = status ?? 1
} else {
  process.exitCode = await main(process.argv.slice(2))
}

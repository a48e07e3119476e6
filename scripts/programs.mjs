// Bundles HQ's programs, so that each start reads a few files instead of 400 and strips no types.
// A host runs it too, in a release that is not complete yet.
import {
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { isAbsolute, join, relative, sep } from 'node:path'
import { parseArgs } from 'node:util'
import { rolldown } from 'rolldown'
import { viteDynamicImportVarsPlugin, viteImportGlobPlugin } from 'rolldown/experimental'
import {
  areFresh,
  builtPrograms,
  bundledSources,
  stampOf,
} from '../ops/base/process/built-program.ts'
import * as paths from './paths.mjs'

const root = realpathSync(paths.root)

const programs = {
  hq: 'ops/cli/main.ts',
  hostd: 'hostd/daemon.ts',
  serve: 'desktop/serve/command.ts',
}
/** Packages that find files beside themselves, or that are started instead of imported. */
const external = [
  '@fastify/static',
  '@openai/codex',
  'electron',
  'npm',
  'open',
  'playwright',
  'playwright-core',
  'rolldown',
]
/** How long parts of earlier builds stay, milliseconds. */
const keptMs = 7 * 24 * 3600 * 1000
const isExternal = (id) => external.some((name) => id === name || id.startsWith(`${name}/`))

/** Sources of HQ in the bundles, and what their packages come from. Modules that the bundler made have no file. */
const sourcesOf = (modules) => [
  'package.json',
  'package-lock.json',
  ...modules
    .filter((path) => isAbsolute(path) && !path.includes(`${sep}node_modules${sep}`))
    .map((path) => relative(root, path)),
]

const { values: wanted } = parseArgs({
  options: {
    /** Folder to write to, which does not exist. Default: out/programs, unless it is fresh. */
    out: { type: 'string' },
  },
})
if (wanted.out !== undefined) {
  await build(wanted.out)
} else if (!areFresh(root)) {
  await build(join(root, builtPrograms))
}

/**
 * Builds the bundles and then moves them into the folder. Programs that run may still load parts that an earlier build
 * wrote; parts are named after their content, so those stay for a week.
 * @throws {Error} when a source cannot be bundled; then the folder is as it was
 */
async function build(folder) {
  const fresh = `${folder}.new`
  rmSync(fresh, { recursive: true, force: true })
  const bundle = await rolldown({
    cwd: root,
    input: programs,
    platform: 'node',
    external: isExternal,
    // A package that is missing would be missing at the start of a program.
    onwarn: ({ message }) => {
      throw new Error(message)
    },
    plugins: [viteDynamicImportVarsPlugin(), viteImportGlobPlugin({ root })],
  })
  const { output } = await bundle.write({
    dir: fresh,
    format: 'esm',
    entryFileNames: '[name].mjs',
    chunkFileNames: 'parts/[name]-[hash].mjs',
  })
  await bundle.close()
  const modules = new Set(output.flatMap((each) => (each.type === 'chunk' ? each.moduleIds : [])))
  const stamps = sourcesOf([...modules]).map((path) => [path, stampOf(join(root, path))])
  writeFileSync(join(fresh, bundledSources), JSON.stringify(Object.fromEntries(stamps)))
  // Without the list no program starts from the folder while files of two builds lie in it.
  rmSync(join(folder, bundledSources), { force: true })
  mkdirSync(join(folder, 'parts'), { recursive: true })
  for (const { fileName } of output) renameSync(join(fresh, fileName), join(folder, fileName))
  renameSync(join(fresh, bundledSources), join(folder, bundledSources))
  rmSync(fresh, { recursive: true, force: true })
  removeOld(join(folder, 'parts'))
}

function removeOld(parts) {
  for (const name of readdirSync(parts)) {
    const path = join(parts, name)
    if (Date.now() - statSync(path).mtimeMs > keptMs) rmSync(path)
  }
}

#!/usr/bin/env node
// What `npm start`, `npm test`, `npm run test:rig`, `npm run check` and `npm run build` do. Plain
// JavaScript for Node 20
// and newer, because it runs before anything is installed.
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { refuseOldNode } from './node-version.mjs'
import { root, say, ownNode, bin } from './paths.mjs'
import { installDependencies } from './dependencies.mjs'
import { findElectron } from './electron-binary.mjs'
import { findBrowser } from './browser.mjs'
import { installRigTools, installTestTools } from './rig-tools.mjs'
import { installDockerTools } from './docker-tools.mjs'
import { electronForTests } from './electron-for-tests.mjs'
import { buildTailnetPrograms } from './tailnet-programs.mjs'
import { build } from './build.mjs'

/**
 * Runs a program to its end.
 * @param output where its output goes; default: the terminal
 * @returns {Promise<number>} its exit code; 130 or 143 when a signal ended it
 */
const run = (program, args, { env = {}, output } = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: root,
      stdio: output ? ['ignore', 'pipe', 'pipe'] : 'inherit',
      env: { ...process.env, OPENCLAW_HQ_INSTALL: root, ...env },
    })
    for (const stream of output ? [child.stdout, child.stderr] : []) stream.on('data', output)
    const pass = (signal) => child.kill(signal)
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, pass)
    child.once('error', reject)
    child.once('close', (code, signal) => {
      for (const name of ['SIGINT', 'SIGTERM']) process.off(name, pass)
      resolve(code ?? (signal === 'SIGINT' ? 130 : 143))
    })
  })
const node = (args, options) => run(ownNode(), args, options)

/**
 * Runs all checks at the same time. The output of one that fails is printed as a whole when it ends.
 * @returns {Promise<number>} 0, or the exit code of one that failed
 */
async function check() {
  const all = checks()
  say(`Checking ${all.map(({ what }) => what).join(', ')}`)
  const codes = await Promise.all(
    all.map(async ({ what, args }) => {
      /** @type {Buffer[]} */
      const pieces = []
      const code = await node(args, { output: (piece) => pieces.push(piece) })
      if (code !== 0)
        process.stderr.write(`\n› Checking ${what} failed\n${Buffer.concat(pieces).toString()}\n`)
      return code
    }),
  )
  return codes.find((code) => code !== 0) ?? 0
}

/** What is checked, and the program with its arguments: known only when the packages are installed. */
const checks = () => [
  {
    what: 'the format',
    args: [
      join(root, 'node_modules/prettier/bin/prettier.cjs'),
      '--check',
      '--log-level=warn',
      '.',
    ],
  },
  { what: 'types', args: [bin('typescript', 'tsc'), '--noEmit', '-p', 'tsconfig.json'] },
  {
    what: 'types of the renderer',
    args: [bin('typescript', 'tsc'), '--noEmit', '-p', 'tsconfig.web.json'],
  },
  {
    what: 'lint rules',
    args: [
      bin('oxlint', 'oxlint'),
      '--type-aware',
      '--config',
      '.oxlintrc.json',
      '--deny-warnings',
      'shared',
      'ops',
      'hostd',
      'desktop',
      'test',
      'scripts',
    ],
  },
  { what: 'dead code', args: [bin('knip', 'knip'), '--no-progress', '--no-config-hints'] },
]

async function vitest({ config, report, env }, args) {
  mkdirSync(join(root, 'test-results'), { recursive: true })
  return node(
    [
      bin('vitest', 'vitest'),
      'run',
      '--config',
      config,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=test-results/${report}.json`,
      ...args,
    ],
    { env },
  )
}

const tasks = {
  async start(args) {
    build()
    const electron = await findElectron()
    return node(
      [join(root, 'ops', 'main.ts'), 'up', ...args],
      electron ? { env: { OPENCLAW_ELECTRON: electron } } : {},
    )
  },
  async test(args) {
    installTestTools()
    const browser = findBrowser()
    build()
    const checked = args.length > 0 ? 0 : await check()
    return checked === 0
      ? vitest(
          {
            config: 'vitest.config.ts',
            report: 'test',
            env: { OPENCLAW_CHROMIUM: browser },
          },
          args,
        )
      : checked
  },
  async rig(args) {
    installRigTools()
    installDockerTools()
    const env = { OPENCLAW_CHROMIUM: findBrowser() }
    const electron = electronForTests()
    if (electron !== null) env.DESKTOP_TEST_ELECTRON = electron
    build()
    const tailnet = buildTailnetPrograms(args)
    try {
      return await vitest({ config: 'vitest.rig.config.ts', report: 'rig', env }, args)
    } finally {
      tailnet.end()
    }
  },
  check,
  async build() {
    build({ force: true })
    return 0
  },
}

const [name, ...args] = process.argv.slice(2)
if (!Object.hasOwn(tasks, name ?? '')) {
  console.error(`usage: node scripts/main.mjs ${Object.keys(tasks).join('|')}`)
  process.exit(64)
}
try {
  refuseOldNode()
  installDependencies()
  process.exitCode = await tasks[name](args)
} catch (error) {
  console.error(`\n${error.message}`)
  process.exitCode = 1
}

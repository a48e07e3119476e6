import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'
import { tryLock, type Lock } from '#ops/base/files/lock'
import { nodeProgram } from '#ops/base/process/program'

/** How long a build by another test run is waited for, in seconds. */
const patience = 280

/**
 * Builds all of out/ once for a test run, unless it is of these very sources already: the window and its page, and the
 * bundles that every program of the tests starts from in a third of the time. Of several test runs one builds and the
 * others wait.
 * @throws {Error} when the build fails
 */
export async function setup(): Promise<void> {
  const root = process.cwd()
  mkdirSync(join(root, 'node_modules', '.cache'), { recursive: true })
  const lock = await lockBuild(join(root, 'node_modules', '.cache', 'test-build.lock'))
  try {
    const build = JSON.stringify(pathToFileURL(join(root, 'scripts', 'build.mjs')).href)
    const code = `const { build } = await import(${build}); await build()`
    // The test runner says NODE_ENV=test, and React would be built as for development.
    await execa(nodeProgram(root), ['--input-type=module', '--eval', code], {
      cwd: root,
      env: { NODE_ENV: 'production' },
    })
  } finally {
    lock.release()
  }
}

async function lockBuild(file: string): Promise<Lock> {
  for (const end = Date.now() + patience * 1000; Date.now() < end; await delay(200)) {
    const lock = tryLock(file)
    if (lock !== null) return lock
  }
  throw new Error(`another test run has been building for ${patience} s`)
}

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'
import { tryLock, type Lock } from '#ops/base/files/lock'
import { installRoot, nodeProgram } from '#ops/base/process/program'

/** How long a build by another test process is waited for, in seconds. */
const patience = 280

/**
 * Builds main, preload and renderer into out/ unless they are of these very sources already; of several test processes
 * one builds and the others wait.
 * @throws when the build fails
 */
export async function ensureBuilt(): Promise<void> {
  const root = installRoot()
  mkdirSync(join(root, 'node_modules', '.cache'), { recursive: true })
  const file = join(root, 'node_modules', '.cache', 'test-build.lock')
  let lock: Lock | null = null
  for (const end = Date.now() + patience * 1000; lock === null && Date.now() < end;) {
    lock = tryLock(file)
    if (lock === null) await delay(200)
  }
  if (lock === null) throw new Error(`another test has been building for ${patience} s`)
  try {
    const build = pathToFileURL(join(root, 'scripts', 'build.mjs')).href
    await execa(
      nodeProgram(root),
      [
        '--input-type=module',
        '--eval',
        `const { build } = await import(${JSON.stringify(build)}); await build()`,
      ],
      // The test runner says NODE_ENV=test, and React would be built as for development.
      { cwd: root, env: { NODE_ENV: 'production' } },
    )
  } finally {
    lock.release()
  }
}

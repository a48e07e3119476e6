import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nodeProgram } from '#ops/base/process/program'
import { marker } from '#ops/base/redact/redactor'
import { canaryFiles, encodedCanaries, leaksIn } from '../../../support/leaks.ts'

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'crash-output-'))
  mkdirSync(join(dir, 'etc', 'secrets', 'soma_kajabi'), { recursive: true })
  for (const [name, text] of Object.entries(canaryFiles()))
    writeFileSync(join(dir, 'etc', 'secrets', 'soma_kajabi', name), text)
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const module = (path: string): string =>
  JSON.stringify(pathToFileURL(join(process.cwd(), path)).href)

async function dies(how: string): Promise<{ code: number; said: string }> {
  const file = join(dir, 'program.mjs')
  writeFileSync(
    file,
    `
    import { redactCrashes } from ${module('ops/base/redact/crash-output.ts')}
    import { loadSecrets } from ${module('ops/base/redact/known-secrets.ts')}
    redactCrashes(); loadSecrets(process.env)
    const secrets = ${JSON.stringify(encodedCanaries)}
    const cause = new Error('for ' + secrets.slice(9).join(' and '))
    const first = new Error('first ' + secrets.join(' and '), { cause })
    const error = Object.assign(first, { evidence: secrets.slice(18, 40) })
    setTimeout(() => console.log('it went on'), 3000).unref()
    ${how}
  `,
  )
  const env = {
    PATH: process.env['PATH'],
    HOME: dir,
    OPENCLAW_ETC: join(dir, 'etc'),
    OPENCLAW_HQ_HOME: join(dir, 'hq'),
  }
  try {
    const { stdout, stderr } = await promisify(execFile)(nodeProgram(), [file], {
      env,
      maxBuffer: 64e6,
    })
    return { code: 0, said: stdout + stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, said: stdout + stderr }
  }
}

describe('what a program prints before it crashes', () => {
  it.each([
    ['an error that nobody caught', 'throw error'],
    [
      'a promise that nobody waited for',
      'void Promise.reject(error); await new Promise((resolve) => setTimeout(resolve, 5000))',
    ],
    ['something thrown that is no error', 'throw secrets.join(" ")'],
  ])('holds no secret: %s', async (_name, how) => {
    const { code, said } = await dies(how)
    expect(code).toBe(1)
    expect(said).toMatch(/^(?:uncaughtException|unhandledRejection): /)
    expect(said).toContain(marker)
    expect(said).not.toContain('it went on')
    expect(leaksIn('crash', said)).toEqual([])
  })
})

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'

const dir = mkdtempSync(join(tmpdir(), 'openclaw-entry-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
const env = {
  PATH: '/usr/bin:/bin',
  HOME: dir,
  OPENCLAW_ROOT: join(dir, 'root'),
  OPENCLAW_ETC: join(dir, 'etc'),
  OPENCLAW_STATE: join(dir, 'state'),
  OPENCLAW_HOSTD_PORT: '1',
}
const scripts = readdirSync('ops').filter((name) => name.endsWith('.sh'))

it('keeps every documented entry point to three lines that start one command of hq', () => {
  expect(scripts.length).toBeGreaterThanOrEqual(8)
  for (const name of scripts) {
    const lines = readFileSync(join('ops', name), 'utf8').trimEnd().split('\n')
    expect(lines, name).toHaveLength(3)
    const command = /hq\.mjs" (.*) "\$@"$/.exec(lines[2] ?? '')?.[1]?.split(' ') ?? []
    expect(execFileSync(join('ops', name), ['--help'], { env, encoding: 'utf8' }), name).toContain(
      `Usage: hq ${command[0]}`,
    )
  }
})

it('starts an entry point through a link from any folder, and returns its exit code', () => {
  const link = join(dir, 'check')
  symlinkSync(join(process.cwd(), 'ops', 'assert_production_pull_only.sh'), link)
  const { status, stdout } = spawnSync(link, ['--json'], { cwd: dir, env, encoding: 'utf8' })
  expect(status).toBe(1)
  expect(JSON.parse(stdout)).toMatchObject({ overall: 'FAIL', error_class: 'git_sync_failed' })
})

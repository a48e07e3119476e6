import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { readHostSettings } from '#ops/core/config/settings-files'
import { hostPaths, type HostPaths } from '#ops/base/paths/paths'
import { mountRules } from '#ops/host/engines/common/host-docker'
import { judgeMount } from '#ops/platform/net/host-mounts'

let dir: string
let paths: HostPaths
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'mounts-')))
  // The clone and the state lie behind a link, as on a host with a data disk.
  mkdirSync(join(dir, 'disk', 'clone', '.git'), { recursive: true })
  symlinkSync('disk', join(dir, 'hq'))
  paths = hostPaths({
    OPENCLAW_ROOT: join(dir, 'hq', 'clone'),
    OPENCLAW_ETC: join(dir, 'hq', 'etc'),
    OPENCLAW_STATE: join(dir, 'hq', 'state'),
    OPENCLAW_SOCKETS: join(dir, 'hq', 'sockets'),
  })
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const code = (path: string, readOnly = true): string | null => {
  const host = { paths, settings: readHostSettings(paths) }
  const rules = mountRules(host, join(paths.builds, 'one'))
  return judgeMount(join(dir, path), readOnly, rules)?.code ?? null
}

it.each(['hq', 'disk'])("G10 keeps HQ's own folders out of containers by the path %s", (base) => {
  for (const path of [
    'clone',
    'clone/.git',
    'clone/openclaw.config.json',
    'etc',
    'etc/secrets',
    'state',
    'state/hostd/index.sqlite',
    'state/builds',
    'state/builds/two',
    'sockets',
    'sockets/runner.sock',
  ])
    expect([path, code(`${base}/${path}`)]).toEqual([path, 'host_mount'])
  expect(code(`${base}/clone/artifacts`, false)).toBe('host_mount')
  expect(code(`${base}/clone/artifacts`)).toBeNull()
  expect(code(`${base}/state/builds/one/data`, false)).toBeNull()
  expect(code(`${base}/sockets/public`)).toBeNull()
})

import { execa } from 'execa'
import { expect, it } from 'vitest'
import { envValue, hqVariables, type HqVariable } from '#ops/base/env'
import { hostdUrl, hostPaths } from '#ops/base/paths/paths'

it('gives each value its type, and the default where a variable is not set', () => {
  expect(envValue('OPENCLAW_HOSTD_PORT', {})).toBe(8877)
  expect(envValue('OPENCLAW_HOSTD_PORT', { OPENCLAW_HOSTD_PORT: '0' })).toBe(0)
  expect(envValue('OPENCLAW_ETC', {})).toBe('/etc/ai-ops-runner')
  expect(envValue('OPENCLAW_RUN_ID', {})).toBeUndefined()
  expect(envValue('OPENCLAW_EVENTS_FD', { OPENCLAW_EVENTS_FD: '3' })).toBe(3)
  expect(hostPaths({ OPENCLAW_ROOT: '/srv/app' }).artifacts).toBe('/srv/app/artifacts')
  expect(hostdUrl({ OPENCLAW_HOSTD_PORT: '9000' })).toBe('http://127.0.0.1:9000')
})

const bad: readonly (readonly [HqVariable, string])[] = [
  ['OPENCLAW_ROOT', 'relative/folder'],
  ['OPENCLAW_ETC', ''],
  ['OPENCLAW_STATE', '~/state'],
  ['OPENCLAW_ARTIFACTS', './artifacts'],
  ['OPENCLAW_SOCKETS', 'run'],
  ['OPENCLAW_HQ_HOME', 'home'],
  ['OPENCLAW_HOSTD_PORT', 'abc'],
  ['OPENCLAW_HOSTD_PORT', '65536'],
  ['OPENCLAW_HOSTD_PORT', ''],
  ['OPENCLAW_HOSTD_URL', '127.0.0.1:8877'],
  ['OPENCLAW_HOSTD_URL', 'http://'],
  ['OPENCLAW_RUN_ID', '../../etc'],
  ['OPENCLAW_DEPLOY_RUN_ID', 'latest'],
  ['OPENCLAW_EVENTS_FD', 'three'],
  ['OPENCLAW_EVENTS_FD', '2'],
  ['OPENCLAW_SHIP_KEY_FD', '-1'],
  ['PORT', '80 '],
]

it.each(bad)('refuses %s=%j by its name, with its form and the remedy', (name, value) => {
  expect(() => envValue(name, { [name]: value })).toThrow(
    expect.objectContaining({
      errorClass: 'config_invalid',
      message: expect.stringMatching(
        new RegExp(`^The environment variable ${name} must be .*unset it.*Nothing was started\\.$`),
      ),
    }),
  )
})

it('has a meaning for every variable, and a default that its own rule accepts', () => {
  for (const [name, variable] of Object.entries(hqVariables)) {
    expect(variable.meaning, name).toMatch(/^[A-Z1-9].*\.$/)
    expect(() => envValue(name as HqVariable, {}), name).not.toThrow()
  }
})

const command = (args: readonly string[], env: Readonly<Record<string, string>>) =>
  execa(process.execPath, ['ops/main.ts', ...args], {
    env: {
      PATH: process.env['PATH'] ?? '',
      OPENCLAW_HQ_INSTALL: process.cwd(),
      OPENCLAW_ETC: '/nowhere/etc',
      OPENCLAW_STATE: '/nowhere/state',
      ...env,
    },
    extendEnv: false,
    reject: false,
  })

it.each([
  [['doctor'], 'OPENCLAW_HOSTD_PORT', 'abc'],
  [['runs'], 'OPENCLAW_HOSTD_PORT', '99999'],
  [['runs'], 'OPENCLAW_HOSTD_URL', 'localhost'],
  [['maintenance', 'status'], 'OPENCLAW_ROOT', 'here'],
  [['doctor'], 'OPENCLAW_RUN_ID', 'mine'],
  [['ship'], 'OPENCLAW_SHIP_KEY_FD', 'key'],
] as const)('ends `hq %j` with 64 for %s=%s', async (args, name, value) => {
  const { exitCode, stderr, stdout } = await command(args, { [name]: value })
  expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: '' })
  expect(stderr).toContain(`config_invalid: The environment variable ${name} must be `)
  expect(stderr).not.toContain('internal_error')
})

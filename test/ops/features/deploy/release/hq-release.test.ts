import { existsSync, readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { deployHost, type DeployHost } from '../../../../support/host.ts'

/** A program of HQ in one file, without a package: what a release is as far as hostd_install can see. */
const hostdProgram = (plant: string): string => `
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
const root = process.env.OPENCLAW_HQ_INSTALL
const read = (path) => JSON.parse(readFileSync(path, 'utf8'))
const token = readFileSync(join(process.env.OPENCLAW_ETC, 'secrets', 'openclaw_admin_token'), 'utf8').trim()
const { commit } = read(join(root, '.openclaw-release.json'))
let version = read(join(root, 'package.json')).version + '+' + commit.slice(0, 12)
let strangerStatus = 403
${plant}
createServer((request, response) => {
  const known = request.headers['x-openclaw-admin-token'] === token
  const status = request.url === '/health' || known ? 200 : strangerStatus
  const answer = { ok: status === 200, version, uptime_seconds: 0, time: new Date().toISOString() }
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
}).listen(Number(process.env.OPENCLAW_HOSTD_PORT), '127.0.0.1')
`

/** The HQ that the deploy brings says in a word of its own who made an attempt. */
const mainProgram = `
import { writeSync } from 'node:fs'
const time = new Date().toISOString()
const [run_id, attempt] = process.env.OPENCLAW_DEPLOY_ATTEMPT.split('/')
const step = { name: 'made_by_the_new_hq', status: 'failed', started_at: time, duration_ms: 0, log: null, detail: null }
const result = {
  schema_version: 1, run_id, attempt: Number(attempt), overall: 'FAIL', step_failed: null,
  error_class: 'endpoint_not_ok', next_auto_fix: 'fix_and_ship', git_head: null, git_tree: null,
  started_at: time, finished_at: time, steps: [step], artifacts: {},
  target_sha: null, previous_sha: null, engine: null, unanswered_ms: null,
}
writeSync(Number(process.env.OPENCLAW_EVENTS_FD), JSON.stringify({ type: 'run_finished', time, result }) + '\\n')
process.exitCode = 1
`

/** The bundler of a commit, which gets the folder to write to. */
const bundler = `
import { mkdirSync, writeFileSync } from 'node:fs'
const folder = process.argv[process.argv.indexOf('--out') + 1]
mkdirSync(folder)
writeFileSync(folder + '/hq.mjs', '// bundled\\n')
`

const ownFiles = (version: string, plant = ''): Record<string, string> => ({
  'package.json': JSON.stringify({ name: 'openclaw-hq', version, type: 'module' }),
  'package-lock.json': JSON.stringify({
    name: 'openclaw-hq',
    version,
    lockfileVersion: 3,
    requires: true,
    packages: { '': { name: 'openclaw-hq', version } },
  }),
  'ops/hq.mjs': '',
  'ops/main.ts': mainProgram,
  'hostd/main.ts': hostdProgram(plant),
  'build.mjs': "console.error('build.mjs:1:1: error: not today')\nprocess.exit(3)\n",
})

let at: DeployHost
beforeAll(async () => {
  at = await deployHost({ message: 'one' })
})
afterAll(async () => {
  await at.remove()
})

const link = (): string => join(at.host.paths.releases, 'current')
const current = (): string | null => (existsSync(link()) ? basename(readlinkSync(link())) : null)

it.each([
  ['crashes', "throw new Error('planted')", /is not healthy: its process ended/],
  [
    'names another version than its own',
    "version = '9.9.9'",
    /its version is "9\.9\.9", not 2\.0\.0\+/,
  ],
  [
    'accepts a request without the token',
    'strangerStatus = 200',
    /answers 200 with the token and 200 without it/,
  ],
])('refuses a release whose hostd %s, and leaves nothing of it', async (_what, plant, text) => {
  const sha = await at.ship({ message: 'broken' }, { files: ownFiles('2.0.0', plant) })
  const { result, triage } = await at.deploy()
  expect(result).toMatchObject({
    overall: 'FAIL',
    step_failed: 'hostd_install',
    error_class: 'hostd_install_failed',
    target_sha: sha,
    attempt: 1,
  })
  expect(result.steps.find(({ name }) => name === 'hostd_install')?.detail).toMatch(text)
  expect(triage?.error_class).toBe('hostd_install_failed')
  expect([
    current(),
    existsSync(at.host.paths.releases) ? readdirSync(at.host.paths.releases) : [],
  ]).toEqual([null, []])
})

it('leaves no release of a commit whose packages cannot be installed', async () => {
  const files = ownFiles('2.0.1')
  await at.ship(
    { message: 'no lock' },
    {
      files: {
        ...files,
        'package.json': JSON.stringify({
          name: 'openclaw-hq',
          version: '2.0.1',
          dependencies: { unlocked: 'file:unlocked' },
        }),
      },
    },
  )
  const { result } = await at.deploy()
  expect(result).toMatchObject({
    step_failed: 'hostd_install',
    error_class: 'hostd_install_failed',
  })
  expect(result.steps.find(({ name }) => name === 'hostd_install')?.detail).toMatch(
    /^npm ci ended with 1\. The running hostd is untouched/,
  )
  expect(readdirSync(at.host.paths.releases)).toEqual([])
})

it('leaves no release of a commit whose programs cannot be bundled', async () => {
  const files = {
    ...ownFiles('2.0.2'),
    'scripts/programs.mjs': "console.error('no bundle today')\nprocess.exit(3)\n",
  }
  await at.ship({ message: 'no bundle' }, { files })
  const { result, dir } = await at.deploy()
  expect(result).toMatchObject({
    step_failed: 'hostd_install',
    error_class: 'hostd_install_failed',
  })
  expect(result.steps.find(({ name }) => name === 'hostd_install')?.detail).toMatch(
    /^The bundler of the commit ended with 3\. The running hostd is untouched/,
  )
  expect(readFileSync(join(dir, 'attempts', '1', 'hostd_install.log'), 'utf8')).toContain(
    'no bundle today',
  )
  expect(readdirSync(at.host.paths.releases)).toEqual([])
})

it('makes the release current without systemd: hostd stays, and the new HQ runs the next attempt', async () => {
  const sha = await at.ship(
    { message: 'a new HQ' },
    { files: { ...ownFiles('3.0.0'), 'scripts/programs.mjs': bundler } },
  )
  const { result, dir, events } = await at.deploy()
  const first = JSON.parse(
    readFileSync(join(dir, 'attempts', '1', 'deploy_result.json'), 'utf8'),
  ) as {
    steps: { name: string; status: string; detail: string }[]
    step_failed: string
    error_class: string
  }
  // which alone is never tried again
  expect(first).toMatchObject({ step_failed: 'console_build', error_class: 'console_build_failed' })
  expect(first.steps.find(({ name }) => name === 'hostd_install')).toMatchObject({
    status: 'passed',
    detail:
      `release 3.0.0+${sha.slice(0, 12)} is proven and current; the hostd that runs keeps its ` +
      'version until its launcher starts it again',
  })
  expect(current()).toBe(sha)
  const bundled = join(at.host.paths.releases, sha, 'out', 'programs', 'hq.mjs')
  expect(readFileSync(bundled, 'utf8')).toBe('// bundled\n')
  expect((await at.hostd.request('/health', { token: null })).body['version']).not.toContain(
    '3.0.0',
  )
  expect(result).toMatchObject({
    attempt: 2,
    error_class: 'endpoint_not_ok',
    steps: [{ name: 'made_by_the_new_hq' }],
  })
  expect(
    events.some(
      (event) =>
        event.type === 'log' &&
        event.text === 'this attempt installed another version of HQ, which makes the next attempt',
    ),
  ).toBe(true)
})

it('runs every later attempt by the current release, from whatever HQ the runner was started', async () => {
  const { result } = await at.deploy()
  expect(result).toMatchObject({ attempt: 1, steps: [{ name: 'made_by_the_new_hq' }] })
})

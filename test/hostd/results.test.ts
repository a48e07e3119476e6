import { createHash } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { statusReply } from '#shared/api'
import { writeJson } from '#ops/base/files/json-file'
import {
  rawRequest,
  startHostd,
  testHost,
  type TestHost,
  type TestHostd,
} from '../support/hostd.ts'

let host: TestHost
let hostd: TestHostd
beforeAll(async () => {
  host = testHost()
  hostd = await startHostd(host)
})
afterAll(async () => {
  await hostd.kill()
  await host.remove()
})

const sha = 'a'.repeat(40)
const time = '2026-01-01T00:00:00.000Z'
const id = (n: number): string => `20260101T0000${String(n).padStart(2, '0')}Z-00000000`
const common = (run_id: string, overall: 'PASS' | 'FAIL') => ({
  schema_version: 1,
  run_id,
  overall,
  step_failed: null,
  error_class: overall === 'PASS' ? null : 'endpoint_not_ok',
  next_auto_fix: overall === 'PASS' ? null : 'fix_and_ship',
  git_head: sha,
  git_tree: null,
  started_at: time,
  finished_at: time,
  steps: [],
  artifacts: {},
})
const deployDoc = (run_id: string, overall: 'PASS' | 'FAIL') => ({
  ...common(run_id, overall),
  attempt: 1,
  target_sha: sha,
  previous_sha: null,
  engine: 'process',
  unanswered_ms: null,
})
const dodDoc = (run_id: string, overall: 'PASS' | 'FAIL') => ({
  ...common(run_id, overall),
  deploy_run_id: run_id,
  doctor_run_id: null,
  joined: false,
  checks: [],
})
const shipDoc = (run_id: string) => ({
  ...common(run_id, 'PASS'),
  since_sha: null,
  verdict_id: null,
  pushed_sha: sha,
  remote_sha: sha,
  scripted_review: false,
  tests: [],
})
const put = (path: string, value: unknown): void =>
  writeJson(join(host.paths.artifacts, path), value)
const last = async (kind: 'dod' | 'deploy' | 'ship') =>
  (await hostd.request(`/api/${kind}/last`)).body

describe('last results', () => {
  it('are null, and not ok, before there is any', async () => {
    expect(await last('dod')).toEqual({
      ok: false,
      run_id: null,
      overall: null,
      result: null,
      artifact_dir: null,
    })
    expect(await last('deploy')).toMatchObject({ ok: false, result: null, triage: null })
    expect(await last('ship')).toMatchObject({ ok: false, result: null, verification: null })
  })

  it('say ok exactly when the newest finished document is a PASS', async () => {
    put(`deploy/${id(1)}/deploy_result.json`, deployDoc(id(1), 'PASS'))
    put(`deploy/${id(1)}/dod_result.json`, dodDoc(id(1), 'PASS'))
    expect(await last('deploy')).toMatchObject({
      ok: true,
      run_id: id(1),
      overall: 'PASS',
      artifact_dir: `deploy/${id(1)}`,
    })
    expect(await last('dod')).toMatchObject({
      ok: true,
      run_id: id(1),
      result: { deploy_run_id: id(1) },
    })
    put(`deploy/${id(2)}/deploy_result.json`, deployDoc(id(2), 'FAIL'))
    put(`deploy/${id(2)}/triage.json`, {
      schema_version: 1,
      run_id: id(2),
      error_class: 'endpoint_not_ok',
      failing_step: null,
      retryable: false,
      next_auto_fix: 'fix_and_ship',
      first_error: null,
      fingerprint: 'x',
      attempts: 1,
      evidence: [],
      written_at: time,
    })
    expect(await last('deploy')).toMatchObject({
      ok: false,
      run_id: id(2),
      overall: 'FAIL',
      triage: { error_class: 'endpoint_not_ok' },
    })
    put(`deploy/${id(2)}/deploy_result.json`, deployDoc(id(2), 'PASS'))
    expect(await last('deploy')).toMatchObject({ ok: true, run_id: id(2) })
  })

  it('are not hidden by a deploy in progress, a crashed one, or a document nobody can read', async () => {
    mkdirSync(join(host.paths.artifacts, 'deploy', id(3), 'attempts'), { recursive: true })
    put(`deploy/${id(3)}/dod_result.json`, dodDoc(id(3), 'PASS'))
    put(`deploy/${id(4)}/deploy_result.json`, { ...deployDoc(id(4), 'PASS'), surprise: 1 })
    mkdirSync(join(host.paths.artifacts, 'deploy', id(5)))
    writeFileSync(
      join(host.paths.artifacts, 'deploy', id(5), 'deploy_result.json'),
      '{"overall":"PASS"',
    )
    put(`deploy/${id(6)}/deploy_result.json`, deployDoc(id(2), 'PASS')) // of another run
    expect(await last('deploy')).toMatchObject({ ok: true, run_id: id(2) })
    expect(await last('dod')).toMatchObject({ run_id: id(1) })
    expect(hostd.said()).toContain(id(4))
    expect(hostd.said()).toContain(id(5))
  })

  it('make up the status, with what each bundle lacks', async () => {
    const status = statusReply.parse((await hostd.request('/api/status')).body)
    expect(status).toMatchObject({
      host: { name: 'test-host', engine: null, serving: null },
      state: null,
      last_deploy: { run_id: id(2) },
      bundles: {
        ship: null,
        deploy: {
          run_id: id(2),
          complete: false,
          missing: ['verify_production.json', 'dod_result.json'],
        },
      },
      // U2: the newest one is named, so that an older one does not pass for it.
      unreadable: [{ kind: 'deploy', run_id: id(6), file: 'deploy_result.json' }],
    })
    put(`deploy/${id(2)}/verify_production.json`, {})
    put(`deploy/${id(2)}/dod_result.json`, dodDoc(id(2), 'FAIL'))
    writeJson(join(host.paths.state, 'serving.json'), { schema_version: 1, sha, since: time })
    const later = statusReply.parse((await hostd.request('/api/status')).body)
    expect(later).toMatchObject({
      host: { serving: sha },
      last_dod: { ok: false, overall: 'FAIL', run_id: id(2) },
      bundles: { deploy: { complete: true, missing: [] } },
    })
    put(`deploy/${id(7)}/manifest.json`, {})
    const sealed = statusReply.parse((await hostd.request('/api/status')).body)
    expect(sealed.unreadable).toMatchObject([
      { run_id: id(7), detail: expect.stringContaining('missing') },
    ])
    put(`deploy/${id(8)}/deploy_result.json`, deployDoc(id(8), 'PASS'))
    const unreadable = async (): Promise<unknown> =>
      statusReply.parse((await hostd.request('/api/status')).body).unreadable
    expect(await unreadable()).toEqual([])
    // An older one must not pass for it: not the DoD of an earlier deploy, nor an earlier doctor.
    put(`deploy/${id(8)}/dod_result.json`, dodDoc(id(2), 'PASS'))
    mkdirSync(join(host.paths.artifacts, 'doctor', id(9)), { recursive: true })
    writeFileSync(join(host.paths.artifacts, 'doctor', id(9), 'doctor.json'), '{')
    expect(await unreadable()).toMatchObject([
      { kind: 'doctor', run_id: id(9), file: 'doctor.json' },
      { kind: 'dod', run_id: id(8), file: 'dod_result.json' },
    ])
    rmSync(join(host.paths.artifacts, 'doctor'), { recursive: true })
  })

  it('give the project state, or why it cannot be read', async () => {
    expect((await hostd.request('/api/project/state')).body).toEqual({
      ok: false,
      state: null,
      unreadable: null,
    })
    writeFileSync(host.paths.projectState, '{}')
    expect((await hostd.request('/api/project/state')).body).toMatchObject({
      ok: false,
      state: null,
      unreadable: expect.stringContaining('last_deploy_run_id'),
    })
  })
})

const file = (path: string, text: string) => ({
  path,
  size: Buffer.byteLength(text),
  sha256: createHash('sha256').update(text).digest('hex'),
  content_base64: Buffer.from(text).toString('base64'),
})
const bundle = (run_id: string, ...more: ReturnType<typeof file>[]) => ({
  schema_version: 1,
  run_id,
  files: [file('ship_result.json', JSON.stringify(shipDoc(run_id))), ...more],
})
const upload = async (run_id: string, body: unknown) => {
  const answer = await hostd.request(`/api/ship/${run_id}`, { method: 'PUT', body })
  return [answer.status, answer.body['stored'] ?? answer.body['error_class']]
}

describe('the ship bundle from the laptop', () => {
  it('is stored whole, shown as unverified, and taken again only when it is the same', async () => {
    const body = bundle(
      id(1),
      file('verdict.json', '{}'),
      file('logs/tests.log', 'x'.repeat(100_000)),
    )
    expect(await upload(id(1), body)).toEqual([200, 'created'])
    expect(
      readFileSync(join(host.paths.artifacts, 'ship', id(1), 'logs/tests.log'), 'utf8'),
    ).toHaveLength(100_000)
    expect(await upload(id(1), body)).toEqual([200, 'unchanged'])
    expect(await upload(id(1), bundle(id(1), file('verdict.json', '{"other":1}')))).toEqual([
      409,
      'bundle_conflict',
    ])
    expect(await last('ship')).toMatchObject({
      ok: true,
      run_id: id(1),
      verification: 'unverified',
    })
    expect((await hostd.request('/api/status')).body).toMatchObject({
      bundles: { ship: { run_id: id(1), complete: false, missing: ['events.ndjson'] } },
    })
  })

  it('is refused, and nothing stored, when it is not what it says', async () => {
    const bad = [
      { ...bundle(id(2)), run_id: id(3) },
      { ...bundle(id(2)), files: [file('verdict.json', '{}')] },
      { ...bundle(id(2)), files: [file('ship_result.json', JSON.stringify(shipDoc(id(3))))] },
      { ...bundle(id(2)), files: [file('ship_result.json', '{}')] },
      bundle(id(2), { ...file('verdict.json', '{}'), sha256: '0'.repeat(64) }),
      bundle(id(2), { ...file('verdict.json', '{}'), size: 3 }),
      bundle(id(2), file('../escape', 'x')),
      bundle(id(2), file('/etc/escape', 'x')),
      bundle(id(2), file('.hidden', 'x')),
      bundle(id(2), file('a/../../escape', 'x')),
      bundle(id(2), file('a', 'x'), file('a', 'y')),
      bundle(id(2), file('a', 'x'), file('a/b', 'y')),
      { ...bundle(id(2)), extra: true },
    ]
    for (const body of bad)
      expect([JSON.stringify(body).slice(0, 300), await upload(id(2), body)]).toEqual([
        expect.any(String),
        [400, 'invalid_request'],
      ])
    expect(readdirSync(join(host.paths.artifacts, 'ship'))).toEqual([id(1)])
  })

  it('may be as large as the cap and not larger', async () => {
    const big = bundle(id(7), file('review.jsonl', 'y'.repeat(12 * 1024 * 1024)))
    expect(await upload(id(7), big)).toEqual([200, 'created'])
    const { status } = await rawRequest(
      { port: hostd.port },
      {
        path: `/api/ship/${id(8)}`,
        method: 'PUT',
        headers: [
          'Host',
          `127.0.0.1:${hostd.port}`,
          'X-OpenClaw-Admin-Token',
          host.token,
          'Content-Type',
          'application/json',
          'Content-Length',
          String(24 * 1024 * 1024 + 1),
        ],
        body: '',
      },
    )
    expect(status).toBe(413)
  })
})

describe('artifacts', () => {
  const read = async (path: string) =>
    await rawRequest(
      { port: hostd.port },
      { path, headers: ['Host', `127.0.0.1:${hostd.port}`, 'X-OpenClaw-Admin-Token', host.token] },
    )

  it('are listed and read, without dotfiles', async () => {
    writeJson(host.paths.maintenance, {
      schema_version: 1,
      deploy_run_id: null,
      reason: 'x',
      since: time,
    })
    const root = JSON.parse((await read('/api/artifacts')).body) as { entries: { name: string }[] }
    expect(root.entries.map(({ name }) => name)).toEqual(['deploy', 'ship'])
    expect(JSON.parse((await read(`/api/artifacts/ship/${id(1)}/`)).body)).toMatchObject({
      path: `ship/${id(1)}`,
      entries: [
        { name: 'logs', type: 'directory', size: null },
        { name: 'ship_result.json', type: 'file' },
        { name: 'verdict.json', type: 'file', size: 2 },
      ],
    })
    const answer = await fetch(`${hostd.url}/api/artifacts/ship/${id(1)}/verdict.json`, {
      headers: { 'x-openclaw-admin-token': host.token },
    })
    expect([
      answer.headers.get('content-type'),
      answer.headers.get('x-content-type-options'),
      await answer.text(),
    ]).toEqual(['application/json; charset=utf-8', 'nosniff', '{}'])
    writeFileSync(join(host.paths.artifacts, 'ship', id(1), 'page.html'), '')
    const page = await fetch(`${hostd.url}/api/artifacts/ship/${id(1)}/page.html`, {
      headers: { 'x-openclaw-admin-token': host.token },
    })
    expect([page.status, page.headers.get('content-type'), await page.text()]).toEqual([
      200,
      'text/plain; charset=utf-8',
      '',
    ])
    expect((await read('/api/artifacts/.maintenance_mode')).status).toBe(404)
  })

  it('never reach outside their folder', async () => {
    writeFileSync(join(host.dir, 'outside.txt'), 'secret')
    const folder = join(host.paths.artifacts, 'links')
    mkdirSync(folder)
    symlinkSync(join(host.dir, 'outside.txt'), join(folder, 'file'))
    symlinkSync(host.dir, join(folder, 'folder'))
    symlinkSync('../ship', join(folder, 'inside'))
    execFileSync('mkfifo', [join(folder, 'fifo')])
    const paths = [
      'links/file',
      'links/folder/outside.txt',
      'links/folder',
      `links/inside/${id(1)}/verdict.json`,
      'links/fifo',
      '../state/project_state.json',
      '..%2f..%2foutside.txt',
      '%2e%2e/%2e%2e/outside.txt',
      'links/../../../outside.txt',
      '/etc/passwd',
      'links//file',
      'links/%00',
      'links\\file',
      '.',
    ]
    for (const path of paths) {
      const answer = await read(`/api/artifacts/${path}`)
      expect([path, answer.status, answer.body.includes('secret')]).toEqual([path, 404, false])
    }
    expect(JSON.parse((await read('/api/artifacts/links')).body)).toMatchObject({ entries: [] })
  })

  it('are given out only up to a size', async () => {
    writeFileSync(join(host.paths.artifacts, 'big.log'), Buffer.alloc(16 * 1024 * 1024 + 1, 'z'))
    expect((await read('/api/artifacts/big.log')).status).toBe(413)
  })
})

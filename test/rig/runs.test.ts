import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { connectorPeer } from '../support/rig/connector-peer.ts'
import { plantEscaped } from '../support/rig/escaped.ts'
import {
  hostOf,
  hqInside,
  installer,
  productionPaths as paths,
  type RigHost,
} from '../support/rig/host.ts'
import { until } from '../support/rig/patience.ts'
import { must, whyNoRig } from '../support/rig/programs.ts'
import { bootRig, packageInside, type Rig } from '../support/rig/rig.ts'
import { inClone, silentOrigin } from '../support/rig/silent-origin.ts'
import { sampleApp } from '../support/sample-app.ts'

const why = whyNoRig()
if (why) console.warn(`Skipped, ${why}: runs as systemd units`)

const node = `${packageInside}/node_modules/.bin/node`

describe.skipIf(why !== null)('runs on an installed host', () => {
  let rig: Rig
  let host: RigHost
  let origin: { close(): void }
  beforeAll(async () => {
    rig = await bootRig({ say: console.warn })
    host = hostOf(rig)
    await rig.must([installer])
    origin = await silentOrigin(rig)
  })
  afterAll(async () => {
    origin.close()
    await rig.down()
  })
  // A deploy that was ended leaves maintenance on; the next test starts without it.
  beforeEach(async () => {
    await rig.must(['rm', '-f', paths.maintenance])
  })
  afterEach(async () => {
    // A caller that waits for a run has its result before its runner has ended.
    const units = async (): Promise<string> =>
      (
        await rig.must([
          'systemctl',
          'list-units',
          '--plain',
          '--no-legend',
          '--state=active,activating,deactivating',
          'openclaw-runner@*',
        ])
      ).trim()
    try {
      await until('every runner to end', async () => (await units()) === '', 60)
    } finally {
      await rig.must(['systemctl', 'stop', 'openclaw-runner@*']) // the next test starts without it
    }
  })

  const logOf = (id: string): string => {
    try {
      return readFileSync(rig.path(`${paths.runs}/${id}/log.ndjson`), 'utf8')
    } catch {
      return ''
    }
  } // not there yet
  /** A deploy that hangs in its first step. @returns its id and unit */
  const hangingDeploy = async (): Promise<{ id: string; unit: string; pid: number }> => {
    const id = await host.start('deploy_and_verify')
    const { unit, pid } = await host.record(id)
    await until('the deploy to reach its remote', () =>
      logOf(id).includes('assert_production_pull_only'),
    )
    return { id, unit: unit ?? '', pid }
  }
  const lives = async (pid: number): Promise<boolean> =>
    (await rig.exec(['test', '-e', `/proc/${pid}`])).code === 0

  it('goes from the CLI through hostd to its own unit and back with a result', async () => {
    const { code, out } = await rig.exec([...hqInside, 'doctor', '--json'])
    const document = JSON.parse(out) as {
      run_id: string
      overall: string
      checks: { name: string; status: string }[]
    }
    expect(code).toBe(document.overall === 'PASS' ? 0 : 1)
    expect(
      document.checks.filter(({ name }) => name.startsWith('hostd')).map(({ status }) => status),
    ).toEqual(['PASS', 'PASS'])
    const record = await host.record(document.run_id)
    expect([record.action, record.unit]).toEqual([
      'doctor',
      expect.stringMatching(/^openclaw-runner@.+\.service$/),
    ])
    expect(await host.run(document.run_id)).toMatchObject({
      finished_at: expect.any(String),
      result: { run_id: document.run_id },
    })
  })

  it('checks Kajabi and Gmail as the account that their secrets belong to, not as root', async () => {
    const folder = `${paths.etc}/secrets/soma_kajabi`
    await rig.must(['systemd-run', '--quiet', '--unit=connector-peer', node, '-e', connectorPeer])
    await until(
      'the peer to listen',
      async () => (await rig.exec(['cat', '/run/peer-port'])).code === 0,
    )
    const url = `http://127.0.0.1:${(await rig.must(['cat', '/run/peer-port'])).trim()}`
    const settings = readFileSync(rig.path(paths.hostSettings), 'utf8')
    await rig.write(
      paths.hostSettings,
      JSON.stringify({
        ...(JSON.parse(settings) as object),
        kajabi: { base_url: url, hosts: ['127.0.0.1'] },
        gmail: { token_url: `${url}/token`, api_url: url },
      }),
    )
    const secrets = {
      kajabi_storage_state: {
        cookies: [
          {
            name: 'sid',
            value: 'rig-session-0815-4711',
            domain: '127.0.0.1',
            path: '/',
            expires: -1,
            httpOnly: true,
            secure: false,
            sameSite: 'Lax',
          },
        ],
        origins: [],
      },
      gmail_client: { installed: { client_id: 'rig', client_secret: 'rig-secret-0815-4711' } },
      gmail_oauth: {
        schema_version: 1,
        client_id: 'rig',
        refresh_token: 'rig-refresh-0815-4711',
        scopes: ['https://www.googleapis.com/auth/gmail.readonly'],
        issued_at: '2026-11-23T00:00:00.000Z',
      },
    }
    for (const [name, secret] of Object.entries(secrets)) {
      await rig.write(`${folder}/${name}.json`, JSON.stringify(secret), 0o640)
      await rig.must(['chown', '1000:1000', `${folder}/${name}.json`])
    }
    const run = await host.ended(await host.start('phase0'))
    expect(run.result).toMatchObject({
      overall: 'PASS',
      connectors: [
        { name: 'kajabi', state: 'ready' },
        { name: 'gmail', state: 'ready' },
      ],
    })
    const asked = (await rig.must(['cat', '/run/asked'])).trim().split('\n')
    expect(asked.map((line) => line.replace(/\?.*/, '')).toSorted()).toEqual([
      // Once with the login, and once as somebody who is not signed in.
      '1000 /admin',
      '1000 /admin',
      '1000 /admin/products',
      '1000 /gmail/v1/users/me/messages',
      '1000 /gmail/v1/users/me/messages/ff',
      '1000 /gmail/v1/users/me/profile',
      '1000 /token',
      '1000 /token',
    ])
    expect((await host.api('/api/proof/bundles?kind=phase0')).body).toMatchObject({
      bundles: [{ run_id: run.run_id, state: 'verified' }],
    })
    await rig.must(['chown', 'root:root', `${folder}/gmail_oauth.json`])
    expect((await host.ended(await host.start('phase0'))).result).toMatchObject({
      error_class: 'CONNECTOR_NOT_CONFIGURED',
      connectors: [
        { state: 'ready' },
        { state: 'invalid', error_class: 'connector_secret_unsafe' },
      ],
    })
    await rig.must(['sh', '-c', `rm ${folder}/*.json && systemctl stop connector-peer`])
    await rig.write(paths.hostSettings, settings)
  })

  it('loses no request while hostd is restarted, again and again', async () => {
    const script = `
      const { request } = require('node:http')
      const send = () => new Promise((resolve) => {
        const headers = { 'x-openclaw-admin-token': process.env.TOKEN }
        const to = { host: '127.0.0.1', port: 8877, path: '/api/status', agent: false, headers }
        const asked = request(to, (answer) => {
          answer.resume()
          answer.on('end', () => resolve(answer.statusCode))
          answer.on('error', (error) => resolve(error.code))
        })
        asked.on('error', (error) => resolve(error.code)); asked.end()
      })
      const seen = {}
      ;(async () => {
        for (let n = 0; n < 50; n += 1) {
          for (const status of await Promise.all([send(), send(), send()])) seen[status] = (seen[status] ?? 0) + 1
          await new Promise((resolve) => setTimeout(resolve, 100))
        }
        console.log(JSON.stringify(seen))
      })()`
    const asking = rig.must([node, '-e', script], { env: { TOKEN: host.token() } })
    const pids = new Set<string>()
    for (let n = 0; n < 3; n += 1) {
      await rig.must(['systemctl', 'restart', 'openclaw-hostd.service'])
      pids.add(await host.show('openclaw-hostd.service', 'MainPID'))
      await until(
        'hostd to answer again',
        async () => (await host.api('/health', { token: null })).status === 200,
      )
    }
    expect([JSON.parse(await asking), pids.size]).toEqual([{ 200: 150 }, 3])
  })

  it('goes on while hostd is restarted or killed, and is adopted; cancel then ends the cgroup', async () => {
    const { id, unit, pid } = await hangingDeploy()
    await rig.must(['systemctl', 'restart', 'openclaw-hostd.service'])
    expect(await host.run(id)).toMatchObject({ status: 'running' })
    await rig.must([
      'systemctl',
      'kill',
      '--kill-who=main',
      '--signal=SIGKILL',
      'openclaw-hostd.service',
    ])
    // What the killed hostd had accepted is gone with it, so one question may end without an answer.
    expect(
      await until(
        'hostd to come back',
        async () => (await host.api(`/api/runs?id=${id}`).catch(() => null))?.body,
      ),
    ).toMatchObject({ ok: true, run: { status: 'running' } })
    const escaped = await plantEscaped(rig, host, unit)
    expect((await host.processesOf(unit)).length).toBeGreaterThan(3)

    const { status, body } = await host.api(`/api/runs/${id}/cancel`, { method: 'POST' })
    expect([status, body['status']]).toEqual([200, 'cancelled'])
    expect([await lives(pid), await lives(escaped), await host.processesOf(unit)]).toEqual([
      false,
      false,
      [],
    ])
    expect(await host.run(id)).toMatchObject({
      status: 'cancelled',
      result: { overall: 'FAIL', error_class: 'cancelled' },
    })
  })

  it('is runner_lost when its runner is killed: nothing of its unit is left, and its lane is free', async () => {
    const { id, unit, pid } = await hangingDeploy()
    const escaped = await plantEscaped(rig, host, unit)
    await rig.must(['kill', '-KILL', String(pid)])
    expect(await host.ended(id)).toMatchObject({
      status: 'runner_lost',
      error_class: 'runner_lost',
    })
    expect([await lives(escaped), await host.processesOf(unit)]).toEqual([false, []])
    const next = await hangingDeploy()
    await host.api(`/api/runs/${next.id}/cancel`, { method: 'POST' })
    expect(await host.ended(next.id)).toMatchObject({ status: 'cancelled' })
  })

  it('is interrupted by a power cut; maintenance is still on, and doctor waits until it is off', async () => {
    const { id } = await hangingDeploy()
    await until(
      'maintenance to be on',
      async () => (await rig.exec(['test', '-s', paths.maintenance])).code === 0,
    )
    await rig.reboot({ plug: true })
    expect(await host.ended(id)).toMatchObject({
      status: 'interrupted',
      error_class: 'interrupted',
    })
    expect((await host.api('/api/maintenance')).body).toMatchObject({
      ok: true,
      maintenance: { on: true },
    })

    const runs = async (): Promise<number> =>
      ((await host.api('/api/runs?action=doctor')).body['runs'] as unknown[]).length
    const before = await runs()
    await rig.must(['systemctl', 'start', 'openclaw-doctor.service'])
    expect([await host.show('openclaw-doctor.service', 'ConditionResult'), await runs()]).toEqual([
      'no',
      before,
    ])
    await rig.must(['rm', paths.maintenance])
    await rig.exec(['systemctl', 'start', 'openclaw-doctor.service'])
    expect([await host.show('openclaw-doctor.service', 'ConditionResult'), await runs()]).toEqual([
      'yes',
      before + 1,
    ])
  })

  it('refuses the engine process, whose services would end with the unit of their deploy', async () => {
    const bare = await rig.origin.create('project.git')
    const work = mkdtempSync(join(tmpdir(), 'rig-project-'))
    try {
      for (const [name, text] of Object.entries(sampleApp({ message: 'one' }, 4100))) {
        mkdirSync(dirname(join(work, name)), { recursive: true })
        writeFileSync(join(work, name), text)
      }
      await must(['git', 'init', '--quiet', '--initial-branch=main', work])
      await must(['git', '-C', work, 'add', '--all'])
      await must([
        'git',
        '-C',
        work,
        '-c',
        'user.name=rig',
        '-c',
        'user.email=rig@localhost',
        'commit',
        '--quiet',
        '--message=one',
      ])
      await must(['git', '-C', work, 'push', '--quiet', bare, 'main'])
      const baseline = (await must(['git', '-C', work, 'rev-parse', 'HEAD'])).trim()
      await rig.write(
        paths.trustFile,
        JSON.stringify({ schema_version: 1, baseline, review_providers: [] }),
      )
      await inClone(rig, ['remote', 'set-url', 'origin', rig.origin.url('project.git')])
      const run = await host.ended(await host.start('deploy_and_verify'))
      expect(run).toMatchObject({
        status: 'failed',
        error_class: 'config_invalid',
        step_failed: 'git_sync',
      })
    } finally {
      rmSync(work, { recursive: true, force: true })
    }
  })

  it('is started by the same runner unit when hostd is down, also by a timer, and is indexed later', async () => {
    await rig.must(['systemctl', 'stop', 'openclaw-hostd.socket', 'openclaw-hostd.service'])
    const { out } = await rig.exec([...hqInside, 'doctor', '--json'])
    const document = JSON.parse(out) as {
      run_id: string
      overall: string
      checks: { name: string; status: string }[]
    }
    expect(document.checks.find(({ name }) => name === 'hostd_health')?.status).toBe('FAIL')
    expect((await host.record(document.run_id)).unit).toMatch(/^openclaw-runner@/)
    const folders = async (): Promise<number> =>
      (await rig.must(['ls', paths.runs])).trim().split('\n').length
    const before = await folders()
    // The unit asks for the sockets it needs; away means that hostd itself does not start.
    await rig.must([
      'systemctl',
      'mask',
      '--runtime',
      '--quiet',
      'openclaw-hostd.socket',
      'openclaw-hostd.service',
    ])
    await rig.exec(['systemctl', 'start', 'openclaw-guard.service'])
    expect(await folders()).toBe(before + 1)
    await rig.must([
      'systemctl',
      'unmask',
      '--runtime',
      '--quiet',
      'openclaw-hostd.socket',
      'openclaw-hostd.service',
    ])
    await rig.must(['systemctl', 'start', 'openclaw-hostd.socket', 'openclaw-hostd.service'])
    await until(
      'hostd to take the run into its index',
      async () => (await host.api(`/api/runs?id=${document.run_id}`)).status === 200,
    )
  })
})

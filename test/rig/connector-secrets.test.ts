import { spawn, type ChildProcessByStdio } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adminTokenHeader } from '#shared/api'
import { connectorsReply, connectorsResult, type ConnectorsResult } from '#shared/connectors'
import { isEnded } from '#shared/run'
import { candidateOf, SecretFolder } from '#ops/features/connectors/common/secret-folder'
import { connectorSecrets } from '#ops/base/paths/connector-paths'
import { nodeProgram } from '#ops/base/process/program'
import { canaries } from '../ops/base/redact/canaries.ts'
import { connectorHost, login, session } from '../support/connector-host.ts'
import { allFiles, startHostd, until } from '../support/hostd.ts'
import { leaksIn } from '../support/leaks.ts'
import { hostOf, installer, productionPaths as paths, type RigHost } from '../support/rig/host.ts'
import { runProgram, whyNoRig } from '../support/rig/programs.ts'
import { bootRig, type Rig } from '../support/rig/rig.ts'

const why = whyNoRig()
if (why) console.warn(`Skipped, ${why}: secrets of connectors on an installed host`)
const strace = ['/usr/bin/strace', '/bin/strace'].find((path) => existsSync(path))
if (strace === undefined) console.warn('Skipped, needs strace: a program that ends while it writes')

const kit = (name: string): string => join('test/support/secret-folder', name)

/** A program of the kit that works until it is stopped. */
class Beside {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  #out = ''
  constructor(name: string, ...args: string[]) {
    this.#child = spawn(nodeProgram(), [kit(name), ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#child.stdout.on('data', (bytes: Buffer) => {
      this.#out += bytes.toString()
    })
  }
  async ready(): Promise<this> {
    await until('the program beside', () => this.#out.includes('ready\n'))
    return this
  }
  /** @returns what it printed at its end */
  async stop(): Promise<string> {
    this.#child.stdin.end()
    await until('its end', () => this.#child.exitCode !== null)
    return this.#out.slice('ready\n'.length).trim()
  }
}

const state = (value: string): string =>
  JSON.stringify({
    cookies: [
      {
        name: '_kjb_session',
        value,
        domain: '127.0.0.1',
        path: '/',
        expires: Math.floor(Date.now() / 1000) + 86_400,
        httpOnly: true,
        secure: false,
      },
    ],
    origins: [],
  })

describe.skipIf(why !== null)('secrets of connectors on an installed host', () => {
  let rig: Rig
  let host: RigHost
  const folder = connectorSecrets(paths)
  const port = 8999
  beforeAll(async () => {
    rig = await bootRig({ say: console.warn })
    host = hostOf(rig)
    await rig.must([installer])
    const settings = JSON.parse(readFileSync(rig.path(paths.hostSettings), 'utf8')) as object
    const peer = `http://127.0.0.1:${port}`
    await rig.write(
      paths.hostSettings,
      JSON.stringify({
        ...settings,
        kajabi: { base_url: peer, hosts: ['127.0.0.1'] },
        gmail: { token_url: `${peer}/token`, api_url: peer },
      }),
      0o644,
    )
    await rig.write('/opt/peer.mjs', readFileSync(kit('peer.mjs'), 'utf8'))
    await rig.must([
      'systemd-run',
      `${paths.releases}/current/node_modules/.bin/node`,
      '/opt/peer.mjs',
      String(port),
    ])
  })
  afterAll(async () => await rig.down())

  const put = (where: string, body: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const sent = request(
        {
          socketPath: rig.path(paths.publicSocket),
          path: `/api/connectors/${where}`,
          method: 'PUT',
          agent: false,
          headers: {
            host: 'localhost',
            [adminTokenHeader]: host.token(),
            'content-type': 'application/octet-stream',
            'content-length': Buffer.byteLength(body),
          },
        },
        (answer) => {
          answer.resume()
          answer.on('end', () => resolve(answer.statusCode ?? 0))
        },
      )
      sent.on('error', reject)
      sent.end(body)
    })
  const act = async (where: string, body: object = {}): Promise<ConnectorsResult> => {
    const started = await host.api(`/api/connectors/${where}`, { method: 'POST', body })
    expect(started.status, JSON.stringify(started.body)).toBe(202)
    const run = await host.ended(String(started.body['run_id']))
    expect(isEnded(run.status)).toBe(true)
    return connectorsResult.parse(run.result)
  }
  const listed = async (): Promise<string[]> =>
    (await rig.must(['find', folder, '-printf', '%f %m %U:%G\n'])).trim().split('\n').toSorted()

  it('have their owner and mode from their first byte on, and are never open wider', async () => {
    const sampler = await new Beside('sample.mjs', rig.path(folder)).ready()
    for (let turn = 0; turn < 15; turn += 1)
      expect(await put('kajabi/secret?kind=storage_state', state(`good-${turn}`))).toBe(200)
    expect(await act('kajabi/finalize')).toMatchObject({ overall: 'PASS' })
    expect(await put('kajabi/secret?kind=storage_state', state('bad'))).toBe(200)
    expect(await act('kajabi/finalize')).toMatchObject({ error_class: 'connector_expired' })
    const seen = (JSON.parse(await sampler.stop()) as [string, number][]).map(([key]) => key)
    expect(seen).toEqual(
      expect.arrayContaining(['folder full 750 0:1000', 'named full 640 1000:1000']),
    )
    const allowed =
      /^(?:folder full 750 0:1000|(?:named|new) full 640 1000:1000|new empty (?:600|640) (?:0:0|1000:1000))$/
    expect(seen.filter((each) => !allowed.test(each))).toEqual([])
    expect(await listed()).toEqual([
      'kajabi_storage_state.json 640 1000:1000',
      'soma_kajabi 750 0:1000',
    ])
    expect(await rig.must(['cat', join(folder, 'kajabi_storage_state.json')])).toContain('good-14')
  })

  it('are proved in another mode, which host.json names from then on; no run may write the trust', async () => {
    const client = { installed: { client_id: 'client', client_secret: 'client-secret-0001' } }
    const token = {
      schema_version: 1,
      client_id: 'client',
      refresh_token: 'good-refresh-token',
      scopes: ['https://www.googleapis.com/auth/gmail.readonly'],
      issued_at: new Date().toISOString(),
    }
    expect(await put('gmail/secret?kind=client', JSON.stringify(client))).toBe(200)
    expect(await put('gmail/secret?kind=oauth', JSON.stringify(token))).toBe(200)
    const before = JSON.parse(readFileSync(rig.path(paths.hostSettings), 'utf8')) as {
      gmail: object
    }
    expect(await act('gmail/finalize', { mode: 'oauth_device' })).toMatchObject({
      overall: 'PASS',
      connectors: [{ name: 'gmail', mode: 'oauth_device', account: 'ada@example.test' }],
    })
    expect(JSON.parse(readFileSync(rig.path(paths.hostSettings), 'utf8'))).toEqual({
      ...before,
      gmail: { ...before.gmail, mode: 'oauth_device' },
    })
    expect(await rig.must(['stat', '-c', '%a %u:%g', paths.hostSettings])).toBe('644 0:0\n')
    const reply = connectorsReply.parse((await host.api('/api/connectors')).body)
    expect(reply).toMatchObject({
      ok: true,
      details: [
        { name: 'kajabi' },
        { name: 'gmail', mode: 'oauth_device', candidate: null },
        { name: 'http_token' },
      ],
    })
    expect(await host.show('openclaw-runner@x.service', 'ReadOnlyPaths')).toContain(paths.trustFile)
  })

  it('put there by hand as root are proved, and get their owner and mode', async () => {
    const file = join(folder, 'kajabi_storage_state.json')
    await rig.write(file, state('good-by-hand'), 0o600)
    expect(await act('kajabi/finalize')).toMatchObject({ overall: 'PASS' })
    expect(await listed()).toContain('kajabi_storage_state.json 640 1000:1000')
  })

  it('are gone when they are revoked', async () => {
    expect(await act('gmail/revoke')).toMatchObject({ overall: 'PASS' })
    expect(await act('kajabi/revoke')).toMatchObject({ overall: 'PASS' })
    expect(await listed()).toEqual(['soma_kajabi 750 0:1000'])
  })
})

/** A folder of secrets as on an installed host, in `etc`. @returns its path */
function folderIn(etc: string): string {
  const folder = connectorSecrets({ etc })
  mkdirSync(folder, { recursive: true })
  chownSync(folder, 0, 1000)
  chmodSync(folder, 0o750)
  return folder
}

const asRoot = process.platform === 'linux' && process.getuid?.() === 0

describe.skipIf(!asRoot)('the folder of the secrets', () => {
  it('changes nothing outside in 10,000 races with links', async () => {
    const dir = mkdtempSync('/dev/shm/secret-races-')
    const outside = join(dir, 'outside')
    const decoy = folderIn(outside)
    for (const path of [join(outside, 'target.json'), join(decoy, 'secret.json')]) {
      writeFileSync(path, 'outside')
      chmodSync(path, 0o640)
      chownSync(path, 1000, 1000)
    }
    const tree = (): string[] =>
      readdirSync(outside, { recursive: true, encoding: 'utf8' })
        .map((name) => {
          const at = lstatSync(join(outside, name))
          const content = at.isFile() ? readFileSync(join(outside, name), 'utf8') : ''
          return `${name} ${at.mode.toString(8)} ${at.uid}:${at.gid} ${content}`
        })
        .toSorted()
    const etc = join(dir, 'etc')
    folderIn(etc)
    const before = tree()
    const attack = await new Beside('attack.mjs', etc, outside).ready()
    let written = 0
    const bytes = Buffer.from('inside')
    for (let race = 0; race < 10_000; race += 1) {
      try {
        await SecretFolder.open({ etc }, { strict: true }, (folder) => {
          folder.write(candidateOf('secret.json'), bytes)
          folder.rename(candidateOf('secret.json'), 'secret.json')
          folder.readByHand('secret.json')
        })
        written += 1
      } catch (error) {
        // The other side took a name away: nothing was written, or a link was refused.
        expect(error).toBeInstanceOf(Error)
      }
    }
    expect(Number(await attack.stop())).toBeGreaterThan(1000)
    expect(written).toBeGreaterThan(1000)
    expect(tree()).toEqual(before)
    rmSync(dir, { recursive: true, force: true })
  })

  it.skipIf(strace === undefined).each([
    ['before the owner', 'fchown', 1, 'old'],
    ['before the mode', 'fchmod', 1, 'old'],
    ['before the content is on the disk', 'fsync', 1, 'old'],
    ['before the name', 'rename,renameat,renameat2', 1, 'old'],
    ['after the name', 'fsync', 2, 'new'],
  ])('holds the old or the new secret, whole, when its writer ends %s', async (...row) => {
    const [, call, when, kept] = row
    const etc = mkdtempSync(join(tmpdir(), 'secret-cut-'))
    const folder = folderIn(etc)
    const content = { old: 'o'.repeat(300_000), new: 'n'.repeat(100_000) }
    await SecretFolder.open({ etc }, { strict: true }, (at) =>
      at.write('secret.json', Buffer.from(content.old)),
    )
    const replace = [nodeProgram(), kit('replace.ts'), etc, content.new]
    const inject = `inject=${call}:signal=SIGKILL:when=${when}`
    const ended = await runProgram(
      [strace ?? '', '-f', '-o', '/dev/null', '-e', `trace=${call}`, '-e', inject, ...replace],
      { env: { PATH: process.env['PATH'] ?? '', OPENCLAW_HQ_INSTALL: process.cwd() } },
    )
    expect(ended.code, ended.err).not.toBe(0)
    const file = join(folder, 'secret.json')
    expect(readFileSync(file, 'utf8') === content[kept as 'old' | 'new']).toBe(true)
    const at = lstatSync(file)
    expect([(at.mode & 0o7777).toString(8), at.uid, at.gid]).toEqual(['640', 1000, 1000])
    for (const name of readdirSync(folder).filter((each) => each.endsWith('.tmp')))
      expect(lstatSync(join(folder, name)).mode & 0o137).toBe(0)
    expect((await runProgram(replace)).code).toBe(0)
    expect(readFileSync(file, 'utf8') === content.new).toBe(true)
    expect(readdirSync(folder)).toEqual(['secret.json'])
    rmSync(etc, { recursive: true, force: true })
  })
})

describe.skipIf(process.platform !== 'linux')('a secret that was sent to hostd', () => {
  it('is in no log, index, artifact, argument, environment, error, and not in its heap', async () => {
    const at = await connectorHost()
    // On a development machine hostd may read what lies there, and redacts it: this one is a canary.
    rmSync(join(at.folder, 'gmail_imap.json'))
    const heaps = mkdtempSync(join(tmpdir(), 'heap-'))
    const hostd = await startHostd(at.host, {
      env: { NODE_OPTIONS: `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${heaps}` },
    })
    const shown: string[] = []
    const processes = (): void => {
      for (const pid of at.host.processes())
        for (const file of ['cmdline', 'environ'])
          try {
            shown.push(readFileSync(`/proc/${pid}/${file}`, 'latin1'))
          } catch {
            // it has ended since
          }
    }
    const send = async (text: string): Promise<void> => {
      const sent = hostd.client
        .sendSecret({
          connector: 'kajabi',
          kind: 'storage_state',
          bytes: new Uint8Array(Buffer.from(text)),
        })
        .catch((error: unknown) => shown.push(String(error)))
      const timer = setInterval(processes, 5)
      await sent
      clearInterval(timer)
    }
    const finalize = async (): Promise<void> => {
      const { run_id } = await hostd.client.finalizeConnector('kajabi', null)
      await until('the run to end', async () => {
        processes()
        const run = await hostd.client.run(run_id)
        if (isEnded(run.status)) shown.push(JSON.stringify(run))
        return isEnded(run.status)
      })
    }
    for (const canary of canaries) {
      // A cookie holds no line break, and so those canaries are refused.
      const secret = JSON.stringify(login()).replaceAll(
        JSON.stringify(session).slice(1, -1),
        JSON.stringify(canary).slice(1, -1),
      )
      await send(secret)
      await send(secret.slice(0, -1))
    }
    await finalize()
    processes()
    process.kill(hostd.pid, 'SIGUSR2')
    await until('the heap snapshot', () => readdirSync(heaps).length > 0)
    shown.push(JSON.stringify((await hostd.request('/api/connectors')).body))
    shown.push(hostd.said())
    const [name = ''] = readdirSync(heaps)
    const heap = readFileSync(join(heaps, name), 'latin1')
    const kept = allFiles(at.host.dir).filter(({ path }) => !path.startsWith(at.host.paths.etc))
    expect(heap).toContain('secret_stored')
    expect(heap.trimEnd().endsWith('}')).toBe(true)
    expect(shown.join('\n')).toContain('OPENCLAW_STATE=')
    const texts = [
      ['shown', shown.join('\n')],
      ['heap', heap],
      ...kept.map(({ path, text }) => [path, text]),
    ] as const
    expect(texts.flatMap(([where = '', text = '']) => leaksIn(where, text))).toEqual([])
    await hostd.stop()
    await at.remove()
    rmSync(heaps, { recursive: true, force: true })
  })
})

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { hostSettings } from '#shared/config'
import { hostPaths, type HostPaths } from '#ops/base/paths/paths'
import { hqTargets } from '#ops/core/host-state/hq-targets'
import { readPublished, writePublished } from '#ops/core/host-state/published'
import { requireNoFunnel } from '#ops/features/deploy/sync/no-funnel'
import { judgePublished } from '#ops/features/doctor/checks/published'
import {
  planPublication,
  publicationChanges,
  tailnetNamesChange,
  unpublish,
} from '#ops/host/install/publish'
import { parseServeConfig } from '#ops/platform/net/serve-config'

let dir: string
let paths: HostPaths
let daemon: Server
/** What Tailscale answers. */
let status: object
let serving: object
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'publish-'))
  paths = hostPaths({
    OPENCLAW_ETC: join(dir, 'etc'),
    OPENCLAW_STATE: join(dir, 'state'),
    OPENCLAW_SOCKETS: '/run/openclaw',
  })
  mkdirSync(paths.etc)
  mkdirSync(paths.state)
  writeFileSync(paths.hostSettings, '{"hostnames":["own.example"]}')
  vi.stubEnv('OPENCLAW_TAILSCALE_SOCKET', join(dir, 'tailscaled.sock'))
  ;[status, serving] = [running({ CertDomains: ['aiops-1.hq.test'] }), {}]
  daemon = createServer((request, response) => {
    response.end(JSON.stringify(request.url?.endsWith('/status') ? status : serving))
  })
  await new Promise<void>((resolve) => daemon.listen(join(dir, 'tailscaled.sock'), resolve))
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await new Promise((resolve) => daemon.close(resolve))
  rmSync(dir, { recursive: true })
})

const running = (change: object): object => ({
  BackendState: 'Running',
  Self: { DNSName: 'aiops-1.hq.test.', Online: true },
  ...change,
})
const proxy = (scheme: 'HTTP' | 'HTTPS', port: number, target: string): object => ({
  TCP: { [port]: { [scheme]: true } },
  Web: { [`aiops-1.hq.test:${port}`]: { Handlers: { '/': { Proxy: target } } } },
})
const both = (hostd: object, console: object): object => ({
  TCP: { ...Object(hostd).TCP, ...Object(console).TCP },
  Web: { ...Object(hostd).Web, ...Object(console).Web },
})
const socket = 'unix:/run/openclaw/tailnet/hostd.sock'
const published = both(proxy('HTTPS', 443, socket), proxy('HTTPS', 8443, 'http://127.0.0.1:8787'))

const hostnames = (): unknown =>
  Object(JSON.parse(readFileSync(paths.hostSettings, 'utf8'))).hostnames

/** What an installation would do, and what it would say it cannot. */
async function installation(isRig = false): Promise<{ did: string[]; notes: string[] }> {
  const settings = hostSettings.parse({})
  const notes: string[] = []
  const publication = await planPublication(paths, settings, isRig)
  if (publication.kind === 'none') return { did: [], notes: [publication.why] }
  const changes = await publicationChanges(paths, publication, {
    hq: hqTargets(paths, settings, 8877),
    note: (why) => notes.push(why),
  })
  const due = await Promise.all(changes.map(async (each) => [each.did, await each.due()] as const))
  return { did: due.flatMap(([did, is]) => (is ? [did] : [])), notes }
}
const record = {
  name: 'aiops-1.hq.test',
  hostnames: ['aiops-1.hq.test', 'aiops-1'],
  tls: true,
  entries: [
    { port: 443, scheme: 'https', target: socket },
    { port: 8443, scheme: 'https', target: 'http://127.0.0.1:8787' },
  ],
} as const

describe('publishing a host to the tailnet', () => {
  const recorded = 'recorded what is published to the tailnet'
  const hostd = 'published hostd to the tailnet at https://aiops-1.hq.test:443'
  const console = 'published the console to the tailnet at https://aiops-1.hq.test:8443'
  it.each<[string, object, string[]]>([
    ['everything, where nothing is served', {}, [recorded, hostd, console]],
    ['what is missing', proxy('HTTPS', 443, socket), [recorded, console]],
    [
      'the socket in place of the port',
      both(proxy('HTTPS', 443, 'http://localhost:8877'), {}),
      [recorded, hostd, console],
    ],
    [
      'its own root beside the path of another program',
      {
        TCP: { 443: { HTTPS: true } },
        Web: { 'aiops-1.hq.test:443': { Handlers: { '/x': { Proxy: 'http://127.0.0.1:3000' } } } },
      },
      [recorded, hostd, console],
    ],
    ['nothing again', published, [recorded]],
  ])('adds %s', async (_what, now, did) => {
    serving = now
    expect(await installation()).toEqual({ did, notes: [] })
  })

  it('does nothing the second time', async () => {
    serving = published
    writePublished(paths, {
      ...record,
      hostnames: [...record.hostnames],
      entries: [...record.entries],
    })
    expect(await installation()).toEqual({ did: [], notes: [] })
  })

  it.each<[string, object, RegExp]>([
    [
      'another program',
      proxy('HTTPS', 443, 'http://127.0.0.1:3000'),
      /443 .*serves http:\/\/127\.0\.0\.1:3000/,
    ],
    [
      'a forward',
      { TCP: { 443: { TCPForward: '127.0.0.1:22' } } },
      /443 .*a forward to 127\.0\.0\.1:22/,
    ],
    ['a session', { Foreground: { a: proxy('HTTPS', 443, socket) } }, /443 .*a foreground session/],
  ])('leaves %s at its port', async (_what, now, note) => {
    serving = now
    expect(await installation()).toEqual({
      did: [recorded, console],
      notes: [expect.stringMatching(note)],
    })
  })

  it.each<[string, object, RegExp]>([
    ['signed out', { BackendState: 'NeedsLogin' }, /not signed in/],
    ['no name', running({ Self: { DNSName: '' } }), /MagicDNS is off/],
    ['no certificates', running({}), /HTTPS certificates are off/],
  ])('says that nothing is published: %s', async (_what, now, why) => {
    status = now
    expect(await installation()).toEqual({ did: [], notes: [expect.stringMatching(why)] })
  })

  it('uses plain http in the rig alone, and remembers it', async () => {
    const plain = 'published hostd to the tailnet at http://aiops-1.hq.test:80'
    vi.stubEnv('OPENCLAW_RIG_TAILNET_HTTP', '1')
    await expect(installation(true)).rejects.toThrow(/this one issues them/)
    status = running({})
    await expect(installation()).rejects.toThrow(/no machine of it/)
    expect((await installation(true)).did).toContain(plain)
    vi.stubEnv('OPENCLAW_RIG_TAILNET_HTTP', undefined)
    writePublished(paths, { ...record, hostnames: [], entries: [], tls: false })
    expect((await installation(true)).did).toContain(plain)
    expect((await installation()).did).toEqual([])
  })

  it('adds its names, replaces them when the host is renamed, and takes only them back', async () => {
    const settings = hostSettings.parse({})
    await tailnetNamesChange(paths, await planPublication(paths, settings)).apply()
    expect(hostnames()).toEqual(['own.example', ...record.hostnames])
    writePublished(paths, {
      ...record,
      hostnames: [...record.hostnames],
      entries: [...record.entries],
    })
    status = running({ CertDomains: ['b.hq.test'], Self: { DNSName: 'b.hq.test.' } })
    await tailnetNamesChange(paths, await planPublication(paths, settings)).apply()
    expect(hostnames()).toEqual(['own.example', 'b.hq.test', 'b'])
  })

  describe('is taken back', () => {
    const console_ = 'http://127.0.0.1:8787'
    const other = 'http://127.0.0.1:3000'
    const putBack = 'http://localhost:8877'
    const write = (change: object = {}): void =>
      writePublished(paths, {
        ...record,
        hostnames: [...record.hostnames],
        entries: [...record.entries],
        ...change,
      })
    /** @param exit of the command line of Tailscale */
    const takeBack = async (exit = 0) => {
      vi.stubEnv('PATH', `${dir}:/usr/bin:/bin`)
      const calls = join(dir, 'calls')
      writeFileSync(
        join(dir, 'tailscale'),
        `#!/bin/sh\nshift\necho "$*" >> ${calls}\nexit ${exit}\n`,
        { mode: 0o755 },
      )
      const notes: string[] = []
      await unpublish(paths, { say: () => undefined, note: (why) => notes.push(why) })
      const made = existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : []
      return { made, notes, isForgotten: readPublished(paths) === undefined }
    }
    const off = (port: number): string => `serve --yes --https=${port} --set-path=/ off`
    const end = (kept: object): object => ({ notes: [], isForgotten: true, ...kept })

    it.each<[string, object, object, string[]]>([
      ['all of it', {}, published, [off(443), off(8443)]],
      [
        'what nobody changed since',
        {},
        both(proxy('HTTPS', 443, socket), proxy('HTTPS', 8443, other)),
        [off(443)],
      ],
      [
        'what HQ made, and not what it found made',
        { before: [{ port: 8443, target: console_ }] },
        published,
        [off(443)],
      ],
      [
        'and what it replaced is put back',
        { before: [{ port: 443, target: putBack }] },
        published,
        [`serve --bg --yes --https=443 ${putBack}`, off(8443)],
      ],
    ])('%s', async (_what, change, now, made) => {
      write(change)
      serving = now
      expect(await takeBack()).toEqual(end({ made }))
      expect(hostnames()).toEqual(['own.example'])
    })

    it('as far as Tailscale does it; the rest stays recorded', async () => {
      write()
      serving = published
      const refused = await takeBack(1)
      expect(refused).toMatchObject({ made: [off(443), off(8443)], isForgotten: false })
      expect(refused.notes).toHaveLength(2)
    })

    it('not while Tailscale gives no answer: it stays recorded, and is said', async () => {
      write()
      serving = { TCP: 'unreadable' }
      const silent = await takeBack()
      expect(silent).toMatchObject({ made: [], isForgotten: false })
      expect(silent.notes).toEqual([expect.stringContaining('was not taken back')])
    })
  })

  it.each<[string, object, object[] | undefined]>([
    ['nothing', {}, undefined],
    ['its own entry', proxy('HTTPS', 443, socket), [{ port: 443, target: socket }]],
    [
      'hostd by its port',
      proxy('HTTPS', 443, 'http://localhost:8877'),
      [{ port: 443, target: 'http://localhost:8877' }],
    ],
    ['another program', proxy('HTTPS', 443, 'http://127.0.0.1:3000'), undefined],
  ])('records what it found: %s', async (_what, now, before) => {
    serving = now
    const settings = hostSettings.parse({ hostnames: ['aiops-1'] })
    writeFileSync(paths.hostSettings, JSON.stringify({ hostnames: ['aiops-1'] }))
    const hq = hqTargets(paths, settings, 8877)
    for (let time = 0; time < 2; time += 1) {
      const publication = await planPublication(paths, settings)
      await tailnetNamesChange(paths, publication).apply()
      const [recording] = await publicationChanges(paths, publication, {
        hq,
        note: () => undefined,
      })
      if (await recording?.due()) await recording?.apply()
      // The name that a person had set is not HQ's.
      expect(readPublished(paths)?.hostnames).toEqual(['aiops-1.hq.test'])
      expect(readPublished(paths)?.before).toEqual(before)
    }
  })

  it.each<[string, object, string, string]>([
    ['as it was published', published, 'aiops-1.hq.test', 'PASS'],
    ['nothing, after a restart without control', {}, 'aiops-1.hq.test', 'FAIL'],
    ['half of it', proxy('HTTPS', 443, socket), 'aiops-1.hq.test', 'FAIL'],
    ['under another name', published, 'other.hq.test', 'FAIL'],
  ])('is checked by doctor: Serve offers %s', (_what, now, name, expected) => {
    const known = {
      schema_version: 1 as const,
      ...record,
      hostnames: [],
      entries: [...record.entries],
    }
    const found = judgePublished(known, parseServeConfig(JSON.stringify(now)), name)
    expect(found.status).toBe(expected)
    expect(judgePublished(undefined, {}, name).status).toBe('WARN')
  })

  it.each<[string, object, boolean]>([
    ['is off', published, false],
    ['is on', { ...published, AllowFunnel: { 'aiops-1.hq.test:443': true } }, true],
    ['is on in a session', { Foreground: { a: { AllowFunnel: { 'x:443': true } } } }, true],
  ])('lets a deploy begin only while Funnel is off: it %s', async (_what, now, refused) => {
    serving = now
    const asked = requireNoFunnel(new AbortController().signal)
    if (refused) await expect(asked).rejects.toMatchObject({ errorClass: 'funnel_on' })
    else await expect(asked).resolves.toBeUndefined()
  })

  it('lets no deploy begin while it is not known what Tailscale serves', async () => {
    serving = { TCP: 'what a later version may write' }
    await expect(requireNoFunnel(new AbortController().signal)).rejects.toMatchObject({
      errorClass: 'funnel_unknown',
    })
  })
})

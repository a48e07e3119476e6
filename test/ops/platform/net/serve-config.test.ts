import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseServeConfig, serveExposures } from '#ops/platform/net/serve-config'

const hq = {
  hostdPort: 8877,
  consolePort: 8787,
  tailnetSocket: '/run/openclaw/tailnet/hostd.sock',
  dockerSocket: '/run/docker.sock',
  narrowed: false,
}
const host = 'aiops-1.example.ts.net'
const good = {
  TCP: { 443: { HTTPS: true } },
  Web: { [`${host}:443`]: { Handlers: { '/': { Proxy: 'http://127.0.0.1:8877' } } } },
}
const proxied = (Proxy: string): object => ({
  Web: { [`${host}:443`]: { Handlers: { '/': { Proxy } } } },
})
const judge = (config: unknown): string[] =>
  serveExposures(parseServeConfig(JSON.stringify(config)), hq).map(
    ({ code, subject }) => `${code} ${subject}`,
  )

interface Recorded {
  readonly name: string
  readonly expected: readonly string[]
  readonly config: unknown
}
const recorded = (
  JSON.parse(readFileSync('test/ops/platform/net/serve-configs.json', 'utf8')) as {
    configurations: Recorded[]
  }
).configurations

describe('configurations as the real Tailscale writes them, and others', () => {
  it.each(recorded.map((each) => [each.name, each] as const))(
    'are judged: %s',
    (_name, { config, expected }) => {
      expect(judge(config)).toEqual(expected)
    },
  )

  it('serves the port of hostd only while everybody with the token may change the host', () => {
    const narrowed = { ...hq, narrowed: true }
    const found = (Proxy: string) =>
      serveExposures(parseServeConfig(JSON.stringify(proxied(Proxy))), narrowed).length
    expect(
      ['http://127.1:8877', `unix:${hq.tailnetSocket}`, 'http://127.0.0.1:8787'].map(found),
    ).toEqual([1, 0, 0])
  })
})

describe('the configuration of Tailscale Serve', () => {
  it.each([
    ['is nothing', {}],
    ['is the one proxy to hostd', good],
    ['B10: names hostd by localhost', proxied('http://localhost:8877')],
    ['B10: names hostd without a scheme', proxied('localhost:8877/')],
    ['B10: names its address without a scheme', proxied('127.0.0.1:8877')],
    ['has Funnel written down as off', { ...good, AllowFunnel: { [`${host}:443`]: false } }],
    ['has empty parts', { TCP: null, Web: null, Foreground: {} }],
  ])('passes when it %s', (_what, config) => {
    expect(judge(config)).toEqual([])
  })

  it('passes when there is none at all', () => {
    expect(serveExposures(parseServeConfig(''), hq)).toEqual([])
    expect(serveExposures(parseServeConfig('null\n'), hq)).toEqual([])
  })

  it.each([
    ['Funnel', { ...good, AllowFunnel: { [`${host}:443`]: true } }, [`funnel ${host}:443`]],
    ['B10: http://localhost:8878', proxied('http://localhost:8878'), [`serve_target ${host}:443/`]],
    [
      'B10: https://localhost:8877',
      proxied('https://localhost:8877'),
      [`serve_target ${host}:443/`],
    ],
    [
      'B10: http://localhost.example:8877',
      proxied('http://localhost.example:8877'),
      [`serve_target ${host}:443/`],
    ],
    [
      'Funnel without anything behind it',
      { AllowFunnel: { [`${host}:8443`]: true } },
      [`funnel ${host}:8443`],
    ],
    [
      'Funnel on a second port',
      { ...good, AllowFunnel: { [`${host}:443`]: false, [`${host}:10000`]: true } },
      [`funnel ${host}:10000`],
    ],
    [
      'a forwarded TCP port',
      { TCP: { 8877: { TCPForward: '127.0.0.1:8877' } } },
      ['serve_target tcp 8877'],
    ],
    [
      'a forwarded TCP port with its TLS ended',
      { TCP: { 5432: { TCPForward: '127.0.0.1:5432', TerminateTLS: host } } },
      ['serve_target tcp 5432'],
    ],
    [
      'a folder',
      { Web: { [`${host}:443`]: { Handlers: { '/files': { Path: '/etc' } } } } },
      [`serve_target ${host}:443/files`],
    ],
    [
      'a folder beside the proxy',
      {
        Web: {
          [`${host}:443`]: {
            Handlers: { '/': { Proxy: 'http://127.0.0.1:8877' }, '/x': { Path: '/srv' } },
          },
        },
      },
      [`serve_target ${host}:443/x`],
    ],
    [
      'another program',
      { Web: { [`${host}:443`]: { Handlers: { '/': { Proxy: 'http://127.0.0.1:9000' } } } } },
      [`serve_target ${host}:443/`],
    ],
    [
      'hostd under another path',
      { Web: { [`${host}:443`]: { Handlers: { '/hq': { Proxy: 'http://127.0.0.1:8877' } } } } },
      [`serve_target ${host}:443/hq`],
    ],
    [
      'a redirect',
      { Web: { [`${host}:443`]: { Handlers: { '/': { Redirect: 'https://example.org' } } } } },
      [`serve_target ${host}:443/`],
    ],
    ['a service', { ...good, Services: { 'svc:web': {} } }, ['serve_target svc:web']],
    [
      'a foreground session',
      {
        ...good,
        Foreground: {
          a1: {
            TCP: { 8443: { HTTPS: true } },
            Web: { [`${host}:8443`]: { Handlers: { '/': { Proxy: 'http://127.0.0.1:8877' } } } },
          },
        },
      },
      ['foreground_serve a1'],
    ],
    [
      'a foreground session with Funnel',
      { Foreground: { a1: { AllowFunnel: { [`${host}:443`]: true } } } },
      ['foreground_serve a1', `funnel ${host}:443`],
    ],
    [
      'a foreground session in a foreground session',
      {
        Foreground: { a1: { Foreground: { b2: { TCP: { 22: { TCPForward: '127.0.0.1:22' } } } } } },
      },
      ['foreground_serve a1', 'foreground_serve b2', 'serve_target tcp 22'],
    ],
  ])('is refused for %s', (_what, config, expected) => {
    expect(judge(config)).toEqual(expected)
  })

  it('names the session and the port', () => {
    const [first, second] = serveExposures(
      parseServeConfig(
        JSON.stringify({ Foreground: { a1: { AllowFunnel: { [`${host}:8443`]: true } } } }),
      ),
      hq,
    )
    expect(first?.pointer).toBe('tailscale serve')
    expect(second).toMatchObject({
      pointer: 'tailscale serve, foreground session a1',
      port: { protocol: 'tcp', number: 8443 },
    })
  })

  it('that cannot be read is an error, not a clean host', () => {
    expect(() => parseServeConfig('Funnel on')).toThrow(/is not JSON/)
    expect(() => parseServeConfig('{"AllowFunnel": ["x"]}')).toThrow(/AllowFunnel/)
  })
})

import { describe, expect, it } from 'vitest'
import type { ConnectorReport } from '#shared/connectors'
import { judgeClock } from '#ops/features/doctor/checks/clock'
import { judgeSync } from '#ops/features/doctor/checks/clock-sync'
import { judgeExpiry } from '#ops/features/doctor/checks/connector-expiry'
import { judgeFunnel } from '#ops/features/doctor/checks/funnel-requests'
import { judgeTailnet } from '#ops/features/doctor/checks/tailnet'
import type { Tailnet } from '#ops/platform/tailnet/client'
import { tailnetStateOf } from '#shared/tailnet/state'
import { tailscaleStatus } from '#shared/tailnet/status'
import { judgeTimer } from '#ops/features/doctor/checks/timers'
import { judgeUnits } from '#ops/features/doctor/checks/units'
import { parseUnits } from '#ops/features/doctor/facts/units'

const at = Date.parse('2026-11-23T12:00:00.000Z')
const seconds = at / 1000
const day = 86_400

describe('the clock', () => {
  const facts = { now: seconds, lastDeploy: null, head: null, hardware: null }
  it.each([
    ['after the last deploy and HEAD', { lastDeploy: seconds - 60, head: seconds - 90 }, 'PASS'],
    ['before the last deploy of this very host', { lastDeploy: seconds + 60 }, 'FAIL'],
    ['a little before HEAD was committed: two clocks differ', { head: seconds + 120 }, 'PASS'],
    ['an hour before HEAD was committed', { head: seconds + 3600 }, 'WARN'],
    ['two days before HEAD was committed', { head: seconds + 2 * day }, 'FAIL'],
    [
      '20 minutes and 40 seconds from the hardware clock',
      { head: seconds, hardware: seconds - 1240 },
      'WARN',
    ],
    [
      'an hour from a hardware clock in local time',
      { head: seconds, hardware: seconds + 3600 },
      'PASS',
    ],
    [
      'a year ahead of the hardware clock',
      { head: seconds, hardware: seconds - 365 * day },
      'WARN',
    ],
    ['with nothing to compare it with', {}, 'SKIP'],
  ])('reports a time %s', (_what, change, status) => {
    expect(judgeClock({ ...facts, ...change }).status).toBe(status)
  })

  it.each([
    ['NTP=yes\nNTPSynchronized=yes\n', 'PASS'],
    ['NTP=no\nNTPSynchronized=yes\n', 'PASS'],
    ['NTP=yes\nNTPSynchronized=no\n', 'WARN'],
    ['NTP=no\nNTPSynchronized=no\n', 'WARN'],
    ['', 'FAIL'],
  ])('follows what the kernel says about synchronisation: %j', (shown, status) => {
    expect(judgeSync(shown).status).toBe(status)
  })
})

describe('the end of a login', () => {
  const report = (expires_at: string | undefined): ConnectorReport => ({
    name: 'kajabi',
    mode: 'storage_state',
    state: 'ready',
    error_class: null,
    next_auto_fix: null,
    detail: 'accepted',
    checked_at: new Date(at).toISOString(),
    duration_ms: 1,
    ...(expires_at === undefined ? {} : { expires_at }),
  })
  const inDays = (days: number): string => new Date(at + days * day * 1000).toISOString()
  it.each<[string, string | undefined, string, RegExp]>([
    ['in eight days', inDays(8), 'PASS', /Kajabi until 2026-12-01/],
    ['in less than seven days', inDays(6.5), 'WARN', /Kajabi ends in 7 days, at 2026-11-30/],
    ['in less than a day', inDays(0.4), 'WARN', /Kajabi ends within a day, in 10 h/],
    ['an hour ago', inDays(-1 / 24), 'WARN', /Kajabi ended at 2026-11-23T11/],
    ['at no known time', undefined, 'PASS', /Kajabi without a known end/],
  ])('is warned of when it is %s', (_when, expires, status, detail) => {
    const finding = judgeExpiry([report(expires)], at)
    expect(finding).toMatchObject({ status, detail: expect.stringMatching(detail) })
  })

  it('is not known while no connector is ready', () => {
    expect(judgeExpiry([], at).status).toBe('SKIP')
  })
})

describe('the tailnet', () => {
  const self = {
    DNSName: 'aiops-1.example.ts.net.',
    Online: true,
    KeyExpiry: new Date(at + 90 * 86_400_000).toISOString(),
  }
  const said = (change: object, own: object = {}): Tailnet => {
    const status = tailscaleStatus.parse({
      BackendState: 'Running',
      Health: [],
      TailscaleIPs: ['100.64.0.2'],
      Self: { ...self, ...own },
      ...change,
    })
    return { kind: tailnetStateOf(status, at), status }
  }
  it.each([
    [
      'online with a key of 90 days',
      said({}),
      'PASS',
      /^aiops-1\.example\.ts\.net 100\.64\.0\.2 is online; its key expires in 90 days$/,
    ],
    ['a key that does not expire', said({}, { KeyExpiry: undefined }), 'PASS', /does not expire/],
    ['B10: no expiry', said({}, { KeyExpiry: null }), 'PASS', /does not expire/],
    [
      'B10: an expiry in the year 1',
      said({}, { KeyExpiry: '0001-01-01T00:00:00Z' }),
      'PASS',
      /does not expire/,
    ],
    [
      'a key of 13 days',
      said({}, { KeyExpiry: new Date(at + 13 * 86_400_000).toISOString() }),
      'WARN',
      /expires in 13\.0 days/,
    ],
    [
      'a key that has expired',
      said({}, { KeyExpiry: new Date(at - 1000).toISOString() }),
      'FAIL',
      /has expired/,
    ],
    [
      'a machine that was signed out',
      said({ BackendState: 'NeedsLogin', Self: null }),
      'FAIL',
      /signed out/,
    ],
    [
      'a key that has expired, as tailscaled then reports it',
      said({ BackendState: 'NeedsLogin' }, { Expired: true }),
      'FAIL',
      /key of this host has expired/,
    ],
    ['one that was switched off', said({ BackendState: 'Stopped' }), 'FAIL', /switched off/],
    ['one that waits', said({ BackendState: 'NeedsMachineAuth' }), 'FAIL', /not approved/],
    ['no name', said({}, { DNSName: '' }), 'WARN', /MagicDNS is off/],
    [
      'MagicDNS off',
      said({ CurrentTailnet: { Name: 'x', MagicDNSEnabled: false } }),
      'WARN',
      /MagicDNS is off/,
    ],
    ['no Tailscale', { kind: 'not_installed', why: 'x' }, 'SKIP', /not installed/],
    ['no daemon', { kind: 'daemon_down', why: 'It does not run.' }, 'FAIL', /does not run\. This/],
    ['one that is cut off', said({}, { Online: false }), 'WARN', /not connected/],
    ['a health message', said({ Health: ['DNS is broken'] }), 'WARN', /DNS is broken/],
  ] as const)('is judged with %s', (_what, found, status, detail) => {
    expect(judgeTailnet(found, at)).toMatchObject({ status, detail: expect.stringMatching(detail) })
  })
})

describe('timers and units', () => {
  const timer = { LoadState: 'loaded', UnitFileState: 'enabled', ActiveState: 'active' }
  const service = {
    LoadState: 'loaded',
    ActiveState: 'inactive',
    Result: 'success',
    ExecMainStatus: '0',
  }
  const facts = {
    timer,
    service,
    times: { next: (at + 60_000) * 1000, last: (at - 60_000) * 1000 },
    heldBack: false,
    now: at,
  }
  it.each([
    ['that runs', {}, 'PASS', /^last run 60 s ago; next run in 60 s$/],
    ['that is not installed', { timer: { LoadState: 'not-found' } }, 'FAIL', /not installed/],
    ['that is disabled', { timer: { ...timer, UnitFileState: 'disabled' } }, 'FAIL', /is disabled/],
    [
      'that was stopped',
      { timer: { ...timer, ActiveState: 'inactive' } },
      'FAIL',
      /maintenance is off/,
    ],
    [
      'that a deploy stopped',
      { timer: { ...timer, ActiveState: 'inactive' }, heldBack: true },
      'PASS',
      /while maintenance is on/,
    ],
    ['without a next run', { times: { next: null, last: 1 } }, 'FAIL', /no next run/],
    ['that is overdue', { times: { next: (at - 600_000) * 1000 } }, 'FAIL', /overdue by 10 min/],
    [
      'whose service runs now',
      { times: { next: null }, service: { ...service, ActiveState: 'activating' } },
      'PASS',
      /it runs now/,
    ],
    [
      'whose check got no further than an error',
      { service: { ...service, ActiveState: 'failed', Result: 'exit-code', ExecMainStatus: '1' } },
      'FAIL',
      /did not finish: exit-code, exit status 1/,
    ],
    [
      'whose check was killed',
      { service: { ...service, ActiveState: 'failed', Result: 'timeout', ExecMainStatus: '15' } },
      'FAIL',
      /did not finish: timeout/,
    ],
  ])('judges a timer %s', (_what, change, status, detail) => {
    expect(judgeTimer('doctor', { ...facts, ...change })).toMatchObject({
      status,
      detail: expect.stringMatching(detail),
    })
  })

  const shown = (change: string): string =>
    ['openclaw-runner.socket', 'openclaw-hostd.socket', 'openclaw-hostd.service']
      .map(
        (id) =>
          `Id=${id}\n` +
          `LoadState=loaded\n` +
          `UnitFileState=enabled\n` +
          `ActiveState=${id === change ? 'failed' : 'active'}\n` +
          `Result=success\n` +
          `NRestarts=0\n`,
      )
      .join('\n')
  it('passes when all units are active, and fails for any failed unit of HQ', () => {
    expect(judgeUnits(parseUnits(shown(''))).status).toBe('PASS')
    expect(judgeUnits(parseUnits(shown('openclaw-hostd.socket')))).toMatchObject({
      status: 'FAIL',
      detail: expect.stringContaining('openclaw-hostd.socket is failed'),
    })
    expect(
      judgeUnits(
        parseUnits(
          `${shown('')}\nId=openclaw-other.service\nLoadState=loaded\nActiveState=failed\nResult=signal\n`,
        ),
      ),
    ).toMatchObject({
      status: 'FAIL',
      detail: expect.stringContaining('openclaw-other.service is failed (signal)'),
    })
    expect(judgeUnits(parseUnits(''))).toMatchObject({
      status: 'FAIL',
      detail: expect.stringContaining('is not installed'),
    })
  })
})

describe('requests through Funnel', () => {
  const record = (age: number) => ({
    schema_version: 1 as const,
    count: 3,
    first_at: '2026-11-01T00:00:00.000Z',
    last_at: new Date(at - age).toISOString(),
  })
  it.each([
    [undefined, 'PASS'],
    [record(60_000), 'FAIL'],
    [record(3_600_000), 'WARN'],
    [record(8 * 86_400_000), 'PASS'],
  ])('fail while they are recent', (seen, status) => {
    expect(judgeFunnel(seen, at).status).toBe(status)
  })
})

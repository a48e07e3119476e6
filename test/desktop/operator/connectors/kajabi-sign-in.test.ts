import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Page } from 'playwright'
import { connectorFields, connectors } from '#shared/connectors/list'
import type { KajabiSettings } from '#shared/connectors/kajabi'
import { redact } from '#ops/base/redact/redaction'
import { kajabiLogin } from '#ops/features/connectors/index'
import { Attempt } from '../../../../desktop/operator/connectors/common/attempt.ts'
import {
  hasUsableCookie,
  keepOurs,
  loginBytes,
  type StorageState,
} from '../../../../desktop/operator/connectors/kajabi/captured-login.ts'
import { captureLogin } from '../../../../desktop/operator/connectors/kajabi/capture.ts'
import { foreignHost, kajabiSite, type KajabiSite } from '../../../support/kajabi-site.ts'
import { operatorBench, until } from '../../../support/operator-bench.ts'
import {
  enterCode,
  enterPassword,
  signInBench,
  xvfb,
  type SignInBench,
} from '../../../support/sign-in-bench.ts'

const profiles = (): string[] =>
  readdirSync(tmpdir()).filter((name) => name.startsWith(`openclaw-sign-in-${process.pid}.`))

const alive = (pid: number): boolean => existsSync(`/proc/${pid}/exe`)

describe('a captured login', () => {
  const settings = connectorFields.kajabi.parse({})
  const cookie = (more: Partial<StorageState['cookies'][number]> = {}) => ({
    name: '_kjb_session',
    value: 'kjb-captured-canary',
    domain: 'app.kajabi.com',
    path: '/',
    expires: -1,
    httpOnly: true,
    secure: true,
    sameSite: 'Lax' as const,
    ...more,
  })
  const state = (...cookies: StorageState['cookies']): StorageState => ({ cookies, origins: [] })

  it('keeps cookies and localStorage of the configured hosts and of no other, whatever their names', () => {
    const items = [{ name: '__proto__', value: '{"a":1}' }]
    const origin = 'https://app.kajabi.com'
    const withDatabase = { origin, localStorage: items, indexedDB: [{ name: 'db' }] }
    const kept = keepOurs(
      {
        cookies: ['app.kajabi.com', '.kajabi.com', 'kajabi.com.other.test', 'notkajabi.com'].map(
          (domain) => cookie({ domain }),
        ),
        origins: [withDatabase, { origin: 'https://other.test', localStorage: items }],
      },
      settings,
    )
    expect(kept.cookies.map(({ domain }) => domain)).toEqual(['app.kajabi.com', '.kajabi.com'])
    expect(kept.origins).toEqual([{ origin, localStorage: items }])
    const bytes = loginBytes(kept, settings)
    expect(JSON.parse(new TextDecoder().decode(bytes))).toEqual(kept)
  })

  it.each([
    ['a line break in a value', state(cookie({ value: 'canary-value\r\nx: y' }))],
    ['a line break in a name', state(cookie({ name: 'canary-value\n' }))],
    ['too many cookies', state(...Array.from({ length: 301 }, () => cookie()))],
    ['no cookie', state()],
  ])('is refused for %s, without its content', (_what, login) => {
    const refused = expect.objectContaining({
      errorClass: 'connector_secret_invalid',
      message: expect.not.stringContaining('canary') as string,
    })
    expect(() => loginBytes(login, settings)).toThrow(refused as Error)
  })

  it.each([
    ['that has expired', cookie({ expires: 1_700_000_000 }), false],
    ['for another page', cookie({ path: '/store' }), false],
    ['for the page', cookie(), true],
  ])('is judged by a cookie %s', (_what, each, usable) => {
    expect(hasUsableCookie(state(each), settings)).toBe(usable)
  })
})

describe.skipIf(xvfb === undefined)('signing in to Kajabi (needs Xvfb)', () => {
  let site: KajabiSite
  let bench: SignInBench
  let logged: string[] = []
  beforeAll(async () => {
    site = await kajabiSite()
    bench = await signInBench(site)
  })
  afterAll(async () => {
    await bench.remove()
    await site.close()
  })
  beforeEach(() => {
    Object.assign(site, { keeps: 'cookie', sessionSeconds: 3600 })
    logged = []
  })
  afterEach(() => {
    expect(profiles()).toEqual([])
  })

  const start = (more: Partial<KajabiSettings> = {}) => {
    const attempt = new Attempt({
      connector: 'kajabi',
      mode: 'storage_state',
      way: connectors.kajabi.ways.storage_state,
    })
    const settings: KajabiSettings = {
      ...connectorFields.kajabi.parse({ base_url: site.url, hosts: ['kajabi.test'] }),
      ...more,
    }
    const log = (text: string): void => void logged.push(text)
    const whole = captureLogin(attempt, { env: bench.env, log }, async () => settings)
    const failed = whole.then(
      () => null,
      (error: unknown) => error,
    )
    return { attempt, whole, failed }
  }
  const stateOf = (attempt: Attempt, id: string) =>
    attempt.view().steps.find((step) => step.id === id)?.state

  /** The person signs in, and needs no second try. */
  const signIn = async () => {
    const page = await bench.window()
    await enterPassword(page, site)
    await enterCode(page, site.person.code)
    return page
  }

  it('keeps the login of a person who needs two tries for the second factor', async () => {
    const { attempt, whole } = start()
    const page = await bench.window()
    expect(profiles()).toHaveLength(1)
    await until('HQ waits', () => attempt.view().waiting_for)
    expect(attempt.view()).toMatchObject({
      window: true,
      waiting_for: expect.stringContaining(`app.kajabi.test:${site.port}/admin`) as string,
    })
    expect(stateOf(attempt, 'sign_in')).toBe('you')
    expect(await attempt.showWindow()).toBe(true)
    await enterPassword(page, site)
    await enterCode(page, '000000')
    await page.getByText('Wrong code').waitFor()
    await enterCode(page, site.person.code)
    const [secret, ...others] = await whole
    expect(others).toEqual([])
    const text = new TextDecoder().decode(secret?.bytes)
    const login = kajabiLogin(['kajabi.test']).schema.parse(JSON.parse(text))
    expect(login.cookies.map(({ name, domain }) => `${name} ${domain}`)).toEqual([
      '_kjb_session app.kajabi.test',
    ])
    expect(text).toContain('local-storage-canary-0815')
    const states = attempt.view().steps.map(({ state }) => state)
    expect(states).toEqual(['pass', 'pass', 'pass', 'wait', 'wait'])
    expect(attempt.view().window).toBe(false)
  })

  it('says where the window is, and keeps no cookie of another site', async () => {
    const { attempt, whole } = start()
    const page = await bench.window()
    await page.goto(`https://${foreignHost}:${site.port}/sign-in?token=one-time`)
    await until('HQ says it', () => attempt.view().waiting_for?.includes(`shows ${foreignHost}.`))
    expect(JSON.stringify(attempt.view())).not.toContain('one-time')
    await page.goto(`${site.url}/login`)
    await signIn()
    const [secret] = await whole
    expect(new TextDecoder().decode(secret?.bytes)).not.toContain('foreign-')
    for (const text of site.secrets())
      if (text !== site.person.password) expect(redact.text(`x ${text} y`)).not.toContain(text)
  })

  it.each([
    {
      name: 'closed',
      act: (page: Page) => page.close(),
      errorClass: 'sign_in_window_closed',
    },
    { name: 'ended by the system', act: () => bench.crash(), errorClass: 'browser_ended' },
  ])('ends when the browser is $name', async ({ act, errorClass }) => {
    const { attempt, failed } = start()
    await act(await bench.window())
    expect(await failed).toMatchObject({ errorClass })
    expect(attempt.view().window).toBe(false)
  })

  it('ends at once when it is cancelled, also while the person types', async () => {
    const { attempt, failed } = start()
    const page = await bench.window()
    await page.fill('input[name=password]', site.person.password)
    const pid = bench.pid()
    attempt.cancel()
    attempt.fail(await failed)
    expect(attempt.view().end).toMatchObject({ state: 'cancelled' })
    expect(alive(pid)).toBe(false)
  })

  it('leaves no window and no profile when HQ is killed, from its next start on', async () => {
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, 'sign-in-child.ts'), site.url],
      {
        env: { ...bench.env, TMPDIR: tmpdir() },
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    )
    await bench.window()
    const left = readdirSync(tmpdir()).filter((name) => name.includes(`-sign-in-${child.pid}.`))
    expect(left).toHaveLength(1)
    child.kill('SIGKILL')
    await once(child, 'exit')
    await until('the browser has ended', () => !alive(bench.pid()))
    const next = operatorBench()
    expect(next.logged).toEqual([expect.stringContaining(left[0] ?? '-')])
    await next.remove()
    expect(readdirSync(tmpdir())).not.toContain(left[0])
  })

  it('ends at its limit, and names what the window did not show', async () => {
    const { attempt, failed } = start({ sign_in_minutes: 0.05 })
    await bench.window()
    const { deadline } = await until('HQ waits', () => {
      const view = attempt.view()
      return view.deadline === null ? null : view
    })
    expect(new Date(deadline ?? 0).getTime() - Date.now()).toBeLessThanOrEqual(3000)
    expect(await failed).toMatchObject({ errorClass: 'sign_in_timed_out' })
  })

  it.each([
    ['the memory of its window (sessionStorage)', 'sessionStorage'],
    ['a database of the browser (indexedDB)', 'indexedDB'],
  ] as const)('refuses a login that only %s keeps, and says so', async (place, keeps) => {
    site.keeps = keeps
    const { failed } = start({ signed_in_element: '#dashboard' })
    await signIn()
    expect(await failed).toMatchObject({
      errorClass: 'sign_in_not_kept',
      message: expect.stringContaining(place) as string,
    })
  })

  it('refuses 50 MB of storage', async () => {
    site.keeps = 'huge'
    const { failed } = start({ signed_in_element: '#dashboard' })
    await signIn()
    expect(await failed).toMatchObject({
      errorClass: 'connector_secret_invalid',
      message: expect.stringMatching(/has 5\d{4} KiB, and a host takes at most 1024 KiB/) as string,
    })
  })

  it('refuses a login that ended while it was captured', async () => {
    const { attempt, failed } = start({ signed_in_paths: ['/admin/sites'] })
    // It ends with the first page that it shows: what is taken then is worth nothing.
    site.keeps = 'once'
    await signIn()
    expect(await failed).toMatchObject({ errorClass: 'sign_in_not_kept' })
    expect(stateOf(attempt, 'check')).toBe('fail')
  })
})

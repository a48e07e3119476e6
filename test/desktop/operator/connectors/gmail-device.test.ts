import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { gmailScope } from '#shared/connectors/gmail'
import { Problem, toProblem } from '#shared/errors'
import { gmailToken } from '#ops/features/connectors/index'
import type { Obtain } from '../../../../desktop/operator/connectors/common/way.ts'
import { obtainByDeviceCode } from '../../../../desktop/operator/connectors/gmail/device-way.ts'
import {
  pollForToken,
  type Clock,
} from '../../../../desktop/operator/connectors/gmail/poll-for-token.ts'
import { browse, googleHere, type GoogleHere } from '../../../support/google-here.ts'
import { start } from './gmail-kit.ts'

let google: GoogleHere
beforeAll(async () => {
  google = await googleHere()
})
afterAll(async () => await google.close())
beforeEach(() => {
  google.instead = null
  google.requests.length = 0
})

/** A clock that runs a hundred times faster, and what was waited for by it, in milliseconds. */
function fastClock(): { obtain: Obtain; waits: number[] } {
  const waits: number[] = []
  const clock: Clock = {
    now: Date.now,
    wait: async (ms, signal) => {
      waits.push(ms)
      await delay(ms / 100, undefined, { signal })
    },
  }
  return { obtain: (attempt, options) => obtainByDeviceCode(attempt, options, clock), waits }
}

/** Answers of the two endpoints; the last of the token endpoint repeats. */
function script(code: readonly [number, unknown], tokens: readonly (readonly [number, unknown])[]) {
  let at = 0
  google.instead = ({ url }, response) => {
    const answer = url === '/device/code' ? code : url === '/token' ? tokens[at++] : undefined
    const [status, body] = answer ?? [500, {}]
    if (url?.startsWith('/gmail/')) return false
    response
      .writeHead(status, {
        'content-type': typeof body === 'string' ? 'text/html' : 'application/json',
      })
      .end(typeof body === 'string' ? body : JSON.stringify(body))
    return true
  }
}

const ofGoogle = {
  device_code: 'deviceCodeCanary-0123456789',
  user_code: 'GQVQ-JKEC',
  verification_url: 'https://www.google.com/device',
  expires_in: 1800,
  interval: 5,
}

describe('connecting Gmail by a device code', () => {
  it('shows address and code, and gets a token once the person has entered it', async () => {
    const { obtain } = fastClock()
    const { attempt, ended } = start('oauth_device', { client: google.clientFile() }, { obtain })
    await expect.poll(() => attempt.view().user_code).not.toBeNull()
    const { open_url, user_code, deadline } = attempt.view()
    expect([open_url, user_code]).toEqual([
      `${google.url}/device`,
      expect.stringMatching(/^[A-Z]{4}-[A-Z]{4}$/),
    ])
    expect(deadline).not.toBeNull()
    await browse(`${open_url}?user_code=${user_code}`)
    const { secrets, kept, shown } = await ended
    const token = gmailToken.schema.parse(secrets?.['oauth'])
    expect(token.scopes).toEqual([gmailScope])
    expect(kept.get('account')).toBe('ada@example.test')
    for (const secret of [google.client.client_secret, token.refresh_token])
      expect(shown).not.toContain(secret)
  })

  it('waits as Google says it: 428 goes on, three times slow_down is 20 s, 403 access_denied ends', async () => {
    const slow = [403, { error: 'slow_down' }] as const
    script(
      [200, ofGoogle],
      [
        [428, { error: 'authorization_pending' }],
        slow,
        slow,
        slow,
        [403, { error: 'access_denied' }],
      ],
    )
    const { obtain, waits } = fastClock()
    const { attempt, ended } = start('oauth_device', { client: google.clientFile() }, { obtain })
    await expect.poll(() => attempt.view().open_url).toBe(ofGoogle.verification_url)
    expect(await ended).toMatchObject({ secrets: null, errorClass: 'connector_denied' })
    expect(waits).toEqual([5000, 5000, 10_000, 15_000, 20_000])
    expect((await ended).shown).not.toContain(ofGoogle.device_code)
  })

  it.each<[string, readonly [number, unknown], string, RegExp]>([
    [
      'a Gmail scope that Google does not allow there',
      [400, { error: 'invalid_scope', error_description: 'canary' }],
      'connector_scope_missing',
      /allows no Gmail scope with a device code \(invalid_scope\): connect by the way "Desktop"/,
    ],
    [
      'a client of another type',
      [401, { error: 'invalid_client', error_description: 'canary' }],
      'connector_refused',
      /takes a client of the type "TVs and Limited Input devices"/,
    ],
    ['a code that it repeats', [400, { error: 'canary' }], 'connector_refused', /an unknown code/],
    ['HTML', [200, '<p>canary</p>'], 'connector_answer_unexpected', /not with a code/],
    ['503', [503, 'canary'], 'connector_unreachable', /answered 503/],
    [
      'a page that is not over TLS',
      [200, { ...ofGoogle, verification_url: 'http://canary.example/device' }],
      'connector_answer_unexpected',
      /not with a code/,
    ],
  ])(
    'ends with what is wrong when the service answers %s',
    async (_what, code, errorClass, message) => {
      script(code, [])
      const { ended } = start('oauth_device', { client: google.clientFile() })
      const end = await ended
      expect(end).toMatchObject({
        secrets: null,
        errorClass,
        message: expect.stringMatching(message),
      })
      expect(end.shown).not.toContain('canary')
    },
  )
})

describe('polling for a token', () => {
  const answer = (error: string): Error => Object.assign(new Error('answer'), { error })
  const errorOf = (thrown: unknown): string | null =>
    thrown instanceof Error && 'error' in thrown ? String(thrown.error) : null
  const lost = (): Problem => new Problem('connector_unreachable', 'The connection was lost.')
  /** mulberry32 */
  const random = (seed: number) => (): number => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }

  it('polls never faster than allowed and never after the end of the code, in 2000 flows', async () => {
    const ends = { token: 0, step_timeout: 0, connector_denied: 0, connector_refused: 0 }
    let [polls, tooFast] = [0, 0]
    for (let seed = 0; seed < 2000; seed += 1) {
      const next = random(seed)
      const interval = next() < 0.3 ? null : 1 + Math.floor(next() * 30)
      const expires = 1 + Math.floor(next() * 1800)
      let [now, last, allowed] = [0, 0, (interval ?? 5) * 1000]
      const clock: Clock = {
        now: () => now,
        // A timer may fire late, never early.
        wait: async (ms) => {
          now += ms + Math.floor(next() * 50)
        },
      }
      const end = await pollForToken(
        {
          intervalSeconds: interval,
          expiresInSeconds: expires,
          errorOf,
          signal: new AbortController().signal,
          request: async () => {
            polls += 1
            if (now - last < allowed || now > expires * 1000 + 50) tooFast += 1
            last = now
            now += Math.floor(next() * 3000) // the answer takes its time
            const dice = next()
            if (dice < 0.03) return 'token' as const
            if (dice < 0.04) throw answer('access_denied')
            if (dice < 0.05) throw answer('expired_token')
            if (dice < 0.06) throw new Problem('connector_refused', 'invalid_client')
            if (dice < 0.2) throw lost()
            if (dice < 0.4) {
              allowed += 5000
              throw answer('slow_down')
            }
            throw answer('authorization_pending')
          },
        },
        clock,
      ).catch((error: unknown) => toProblem(error).errorClass)
      ends[end as keyof typeof ends] += 1
    }
    expect(tooFast).toBe(0)
    expect(polls).toBeGreaterThan(2000)
    for (const count of Object.values(ends)) expect(count).toBeGreaterThan(20)
    expect(Object.values(ends).reduce((sum, count) => sum + count)).toBe(2000)
  })

  it('ends at once when the attempt is cancelled', async () => {
    const cancel = new AbortController()
    const polling = pollForToken({
      intervalSeconds: 5,
      expiresInSeconds: 600,
      errorOf,
      signal: cancel.signal,
      request: () => Promise.reject(lost()),
    })
    cancel.abort()
    await expect(polling).rejects.toThrow()
  })
})

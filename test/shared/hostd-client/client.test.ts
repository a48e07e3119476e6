import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RunEvent } from '#shared/events'
import type { Caller } from '#shared/hostd-client/address'
import { HostdClient } from '#shared/hostd-client/client'

const caller: Caller = {
  host: 'The test host',
  sides: 'The test and hostd',
  unreachable: (reason) => `The test host cannot be reached: ${reason}.`,
  redirectAdvice: 'Use its real address.',
  behindProxy: true,
}
const id = '20261129T120000Z-0123abcd'
const run = {
  run_id: id,
  action: 'rollback',
  lane: 'deploy',
  params: { to: 'a'.repeat(40) },
  actor: 'local',
  deploy_run_id: null,
  status: 'running',
  requested_at: '2026-11-29T12:00:00.000Z',
  started_at: '2026-11-29T12:00:01.000Z',
  finished_at: null,
  error_class: null,
  step_failed: null,
  result: null,
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void
let server: Server
let base: string
let answers: Answer[]
let seen: IncomingMessage[]
let forbidden: number

beforeEach(async () => {
  answers = []
  seen = []
  forbidden = 0
  server = createServer((request, response) => {
    seen.push(request)
    const answer = answers.length > 1 ? answers.shift() : answers[0]
    answer?.(request, response)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

const client = (limitMs = 10_000): HostdClient =>
  new HostdClient(
    () => ({
      base,
      token: 'the-token',
      caller,
      onForbidden: () => {
        forbidden += 1
      },
    }),
    { limitMs },
  )
const json =
  (status: number, body: unknown): Answer =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }
const refusal = (error_class: string, more = {}) => ({
  ok: false,
  error_class,
  detail: `refused as ${error_class}`,
  next_auto_fix: 'start_again',
  ...more,
})

describe('a request to hostd', () => {
  it('carries the token, and does not follow a redirect with it', async () => {
    answers = [
      (_request, response) => {
        response.writeHead(302, { location: `${base}/elsewhere` }).end()
      },
    ]
    await expect(client().status()).rejects.toMatchObject({
      errorClass: 'host_refused',
      message: expect.stringMatching(/answered with a redirect.*Use its real address\.$/) as string,
    })
    expect(seen.map(({ url, headers }) => [url, headers['x-openclaw-admin-token']])).toEqual([
      ['/api/status', 'the-token'],
    ])
  })

  it.each([
    ['a class that hostd names', 404, refusal('not_found'), 'not_found'],
    ['an unknown body of a 4xx', 418, { teapot: true }, 'version_mismatch'],
    ['an unknown body of a 5xx behind a proxy', 502, 'bad gateway', 'hostd_unreachable'],
    ['an answer that does not fit its schema', 200, { ok: true }, 'version_mismatch'],
  ])('maps %s', async (_what, status, body, errorClass) => {
    answers = [json(status, body)]
    await expect(client().trust()).rejects.toMatchObject({ errorClass })
  })

  it('maps an answer that is not JSON, is too large, or breaks off', async () => {
    answers = [(_request, response) => response.end('<html>')]
    await expect(client().trust()).rejects.toMatchObject({ errorClass: 'version_mismatch' })
    answers = [(_request, response) => response.end(Buffer.alloc(9 * 1024 * 1024, 'x'))]
    await expect(client().trust()).rejects.toMatchObject({
      errorClass: 'version_mismatch',
      message: expect.stringContaining('more than') as string,
    })
    answers = [
      (_request, response) => {
        response.writeHead(200, { 'content-length': '100' }).write('half')
        setTimeout(() => response.destroy(), 50)
      },
    ]
    await expect(client().trust()).rejects.toMatchObject({
      errorClass: 'hostd_unreachable',
      message: 'The test host closed the connection in the middle of an answer.',
    })
  })

  it('says plainly that nothing listens, that nothing answers, or that it was cancelled', async () => {
    answers = [() => undefined]
    await expect(client(200).trust()).rejects.toMatchObject({
      errorClass: 'hostd_unreachable',
      message: 'The test host cannot be reached: it does not answer.',
    })
    const stop = new AbortController()
    const cancelled = client().trust({ signal: stop.signal })
    stop.abort()
    await expect(cancelled).rejects.toMatchObject({ errorClass: 'cancelled' })
    server.closeAllConnections()
    server.close()
    await expect(client().trust()).rejects.toMatchObject({
      message: 'The test host cannot be reached: nothing listens at its address.',
    })
  })

  it('reports a refused token, and no other refusal, to its caller', async () => {
    answers = [json(403, refusal('host_refused'))]
    await expect(client().trust()).rejects.toMatchObject({ errorClass: 'host_refused' })
    expect(forbidden).toBe(0)
    answers = [json(403, refusal('forbidden'))]
    await expect(client().trust()).rejects.toMatchObject({ errorClass: 'forbidden' })
    expect(forbidden).toBe(1)
  })
})

describe('a busy lane', () => {
  const busy = json(
    409,
    refusal('ALREADY_RUNNING', {
      action: 'rollback',
      active_run_id: id,
      started_at: run.started_at,
    }),
  )
  beforeEach(() => {
    answers = [busy, json(200, { ok: true, run })]
  })

  it('is joined by the same action with the same parameters', async () => {
    expect(await client().exec('rollback', { to: 'a'.repeat(40) })).toEqual({
      run_id: id,
      joined: true,
    })
  })

  it.each([
    ['other parameters', 'rollback', { to: 'b'.repeat(40) }],
    ['another action', 'deploy_and_verify', {}],
  ] as const)('is refused to %s, with the run that holds it', async (_what, action, params) => {
    await expect(client().exec(action, params)).rejects.toMatchObject({
      errorClass: 'lane_busy',
      message: expect.stringContaining(id) as string,
    })
  })
})

describe('the events of a run', () => {
  const line = (seq: number): string =>
    JSON.stringify({
      seq,
      time: run.requested_at,
      type: 'log',
      step: null,
      stream: 'hq',
      text: `line ${seq}`,
    })
  const message = (seq: number): string => `id: ${seq}\ndata: ${line(seq)}\n\n`
  const end = 'event: end\ndata: {"status":"passed"}\n\n'
  const stream =
    (...parts: string[]): Answer =>
    (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.end(parts.join(''))
    }
  const collect = async (
    options: Parameters<HostdClient['events']>[1] = {},
  ): Promise<{ seqs: number[]; status: string | null }> => {
    const seqs: number[] = []
    const events = client().events(id, options)
    for (;;) {
      const { done, value } = await events.next()
      if (done) return { seqs, status: value }
      seqs.push(...value.map(({ seq }: RunEvent) => seq))
    }
  }
  const resumes = (): unknown[] => seen.map(({ headers }) => headers['last-event-id'])

  it('continue where the connection broke, each once and in order', async () => {
    answers = [
      stream(message(1), message(2), 'id: 3\ndata: {"seq'),
      stream(message(2), message(3)),
      (_request, response) => response.destroy(),
      json(503, 'restarting'),
      stream(message(4), end),
    ]
    expect(await collect()).toEqual({ seqs: [1, 2, 3, 4], status: 'passed' })
    expect(resumes()).toEqual([undefined, '2', '3', '3', '3'])
  })

  it('begin after the number that the caller has', async () => {
    answers = [stream(message(8), end)]
    expect((await collect({ after: 7 })).seqs).toEqual([8])
    expect(resumes()).toEqual(['7'])
  })

  it.each([
    ['a missing number', [message(1), message(3), end]],
    ['an unknown shape', ['id: 1\ndata: {"seq":1,"type":"novelty"}\n\n']],
    ['a message without end', [`id: 1\ndata: ${'x'.repeat(5 * 1024 * 1024)}`]],
  ])('are refused for %s', async (_what, parts) => {
    answers = [stream(...parts)]
    await expect(collect()).rejects.toMatchObject({ errorClass: 'version_mismatch' })
    expect(seen).toHaveLength(1)
  })

  it('end with what hostd refused', async () => {
    answers = [json(404, refusal('not_found'))]
    await expect(collect()).rejects.toMatchObject({ errorClass: 'not_found' })
  })

  it('end when the caller stops, without an error', async () => {
    const stop = new AbortController()
    answers = [
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write(message(1))
        setTimeout(() => stop.abort(), 100)
      },
    ]
    expect(await collect({ signal: stop.signal })).toEqual({ seqs: [1], status: null })
  })

  it('end after the time that the caller allows', async () => {
    answers = [(_request, response) => response.destroy()]
    await expect(collect({ patienceMs: 600 })).rejects.toMatchObject({
      errorClass: 'hostd_unreachable',
    })
    expect(seen.length).toBeGreaterThan(1)
  })
})

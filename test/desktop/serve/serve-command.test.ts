import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createParser } from 'eventsource-parser'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  bridgeReply,
  procedures,
  type EventsRequest,
  type Input,
  type Output,
  type ProcedureName,
} from '#shared/bridge'
import type { RunEvent } from '#shared/events'
import { newRunId } from '#shared/ids'
import { shownHostHeader } from '#shared/shown-host'
import { installRoot, nodeProgram } from '#ops/base/process/program'
import {
  allFiles,
  scriptedInstall,
  startHostd,
  testHost,
  type TestHost,
  type TestHostd,
} from '../../support/hostd.ts'
import { until } from '../../support/operator-bench.ts'

const readyLine = z.strictObject({
  ready: z.literal(true),
  url: z.url(),
  origin: z.url(),
  secret: z.string().length(64),
  pid: z.number(),
})
const lines = 400

/** `hq serve` as a process, against a real hostd whose doctor writes a long log in two halves. */
describe('hq serve', () => {
  let dir: string
  let home: string
  let host: TestHost
  let hostd: TestHostd
  let open: (gate: string) => void
  let child: ChildProcess
  let ready: z.infer<typeof readyLine>
  const said: string[] = []
  const start = (args: readonly string[]): ChildProcess =>
    spawn(nodeProgram(), [join(installRoot(), 'ops', 'hq.mjs'), 'serve', ...args], {
      env: { PATH: process.env['PATH'], HOME: dir, OPENCLAW_HQ_HOME: home },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  const end = (process: ChildProcess): Promise<number | null> =>
    new Promise((resolve) => {
      process.once('close', resolve)
    })

  beforeAll(async () => {
    dir = realpathSync(mkdtempSync(join(tmpdir(), 'serve-test-')))
    home = join(dir, 'hq')
    const scripted = scriptedInstall(dir, {
      doctor:
        `import { finish, gate, log } from './kit.mjs'\n` +
        `for (let n = 0; n < ${lines}; n += 1) { if (n === ${lines / 2}) await gate('half'); ` +
        `log('line ' + n) }\n` +
        `finish('PASS')`,
    })
    open = (gate) => scripted.open(gate)
    host = testHost({ install: scripted.install })
    hostd = await startHostd(host)
    child = start(['--port', '0', '--json'])
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (data: Buffer) => said.push(data.toString()))
    ready = await until('serve is ready', () => {
      if (child.exitCode !== null) throw new Error(said.join(''))
      return said.join('').includes('\n') && readyLine.parse(JSON.parse(said.join('')))
    })
  })
  afterAll(async () => {
    const ended = end(child)
    child.kill('SIGTERM')
    await ended
    await hostd.stop()
    await host.remove()
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  })

  const post = (path: string, body: unknown, signal?: AbortSignal) =>
    fetch(`${ready.origin}${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-openclaw-hq-secret': ready.secret,
        [shownHostHeader]: hostd.url,
      },
      body: JSON.stringify(body),
      ...(signal ? { signal } : {}),
    })
  const call = async <P extends ProcedureName>(name: P, input: Input<P>): Promise<Output<P>> => {
    const text = await (await post(`/bridge/call/${name}`, input)).text()
    expect(text).not.toContain(host.token)
    const reply = bridgeReply.parse(JSON.parse(text))
    if (!reply.ok)
      throw new Error(`${name}: ${reply.problem.error_class}: ${reply.problem.message}`)
    return procedures[name].output.parse(reply.value) as Output<P>
  }
  /** Reads the stream until it ends, or until `enough` says so and the reader goes away. */
  const read = async (
    request: EventsRequest,
    enough: (events: readonly RunEvent[]) => boolean = () => false,
  ): Promise<{ events: RunEvent[]; end: string | null }> => {
    const gone = new AbortController()
    const events: RunEvent[] = []
    let last: string | null = null
    const parser = createParser({
      onEvent: ({ event, data }) => {
        if (event === 'end') last = data
        else events.push(...(JSON.parse(data) as RunEvent[]))
      },
    })
    const reply = await post('/bridge/events', request, gone.signal)
    expect(reply.headers.get('content-type')).toContain('text/event-stream')
    for await (const chunk of reply.body ?? []) {
      parser.feed(Buffer.from(chunk).toString())
      if (enough(events)) break
    }
    gone.abort()
    return { events, end: last }
  }

  it('prints one line with its address, the secret in the fragment', () => {
    expect(said.join('').trim().split('\n')).toHaveLength(1)
    expect(ready.url).toBe(`${ready.origin}/#secret=${ready.secret}`)
    expect(ready.origin).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  })

  it('serves the built page', async () => {
    const reply = await fetch(ready.origin)
    expect(await reply.text()).toContain('<div id="root">')
  })

  it('goes on with a live log where the reader was cut off, with no gap and no repeat', async () => {
    await call('settings.set_host', { name: 'test-host', url: hostd.url, token: host.token })
    await until(
      'the host is online',
      async () => (await call('overview.get', {})).connection.state === 'online',
    )
    const { run_id } = await call('host.exec', { action: 'doctor' })
    expect(await call('host.exec', { action: 'doctor' })).toEqual({ run_id, joined: true })
    const first = await read(
      { source: 'host', run_id, after: 0 },
      (events) => events.length >= lines / 4,
    )
    open('half')
    const rest = await read({ source: 'host', run_id, after: first.events.length })
    const all = [...first.events, ...rest.events]
    expect(all.map(({ seq }) => seq)).toEqual(all.map((_, index) => index + 1))
    expect(all.filter((event) => event.type === 'log').map((event) => event.text)).toEqual(
      Array.from({ length: lines }, (_, n) => `line ${n}`),
    )
    expect(all.at(-1)).toMatchObject({ type: 'run_finished' })
    expect(rest.end).toBe('null')
    const { run } = await call('host.run', { run_id })
    expect(run).toMatchObject({ action: 'doctor', status: 'passed', result: { overall: 'PASS' } })
    expect(
      (await call('host.runs', { action: 'doctor' })).runs.map((each) => each.run_id),
    ).toContain(run_id)
    expect(
      (await call('host.artifacts', { path: `runs/${run_id}` })).entries.map(({ name }) => name),
    ).toContain('log.ndjson')
    const place = { side: 'host', folder: 'runs', run_id } as const
    const { base64 } = await call('proofs.file', { ...place, path: 'log.ndjson' })
    expect(Buffer.from(base64, 'base64').toString().trim().split('\n')).toHaveLength(all.length)
  })

  it('ends a stream of an unknown run with the class of the host', async () => {
    const { events, end: last } = await read({
      source: 'host',
      run_id: '20260101T000000Z-00000000',
      after: 0,
    })
    expect(events).toEqual([])
    expect(JSON.parse(last ?? '')).toMatchObject({ error_class: 'not_found' })
  })

  it('writes the token nowhere but into its secret', () => {
    const holding = allFiles(home)
      .filter(({ text }) => text.includes(host.token))
      .map(({ path }) => path)
    expect(holding).toHaveLength(1)
    expect(holding[0]).toContain('/secrets/')
    expect(said.join('')).not.toContain(host.token)
  })

  it('refuses a port that is taken and arguments it does not know, and ends', async () => {
    const taken = start(['--port', new URL(ready.origin).port])
    expect(await end(taken)).toBe(1)
    expect(await end(start(['--host', '0.0.0.0']))).toBe(64)
    expect(await end(start(['--port', 'eighty']))).toBe(64)
  })

  it('ends cleanly on SIGTERM, also with a page and a stream open', async () => {
    await hostd.stop() // a stream then waits for the host
    const other = start(['--port', '0', '--json'])
    const line = await new Promise<string>((resolve) => {
      other.stdout?.once('data', (data: Buffer) => resolve(data.toString()))
    })
    const { origin, secret } = readyLine.parse(JSON.parse(line))
    const reply = await fetch(`${origin}/bridge/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-openclaw-hq-secret': secret },
      body: JSON.stringify({ source: 'host', run_id: newRunId(), after: 0 }),
    })
    const ended = end(other)
    other.kill('SIGTERM')
    expect(await ended).toBe(0)
    await reply.body?.cancel().catch(() => undefined) // the server closed it
  })
})

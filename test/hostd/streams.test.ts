import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createParser } from 'eventsource-parser'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runLogFile } from '#ops/host/runner/run-files'
import {
  scriptedInstall,
  startHostd,
  testHost,
  until,
  type TestHost,
  type TestHostd,
} from '../support/hostd.ts'

const lines = 10_000
const scripts = {
  doctor: `import { emit, log, gate, finish } from './kit.mjs'
    emit({ type: 'run_started', action: 'doctor', steps: [] })
    for (let n = 1; n <= ${lines}; n += 1) {
      log('line ' + n + ' ü ' + '.'.repeat(n % 200))
      if (n % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await gate('end'); finish('PASS')`,
  // Far more than the sockets of the system take, then as much again three times over.
  guard: `import { log, gate, finish } from './kit.mjs'
    const write = (count) => { for (let n = 0; n < count; n += 1) log('x'.repeat(1000)) }
    write(30000); await gate('more'); write(90000); finish('PASS')`,
}

let dir: string
let host: TestHost
let hostd: TestHostd
let open: (gate: string) => void

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'openclaw-scripted-'))
  const scripted = scriptedInstall(dir, scripts)
  open = (gate) => scripted.open(gate)
  host = testHost({ install: scripted.install })
  hostd = await startHostd(host)
})
afterEach(async () => {
  await hostd.kill()
  await host.remove()
  rmSync(dir, { recursive: true, force: true })
})

/** One connection; it is cut after `cutAfter` messages. */
function connection(
  id: string,
  lastEventId: number,
  cutAfter: number,
  onMessage: (message: { id: number; event: string | undefined; data: string }) => void,
): Promise<'cut' | 'ended'> {
  return new Promise((resolve, reject) => {
    let count = 0
    const asked = request(
      {
        host: '127.0.0.1',
        port: hostd.port,
        path: `/api/runs/${id}/events`,
        headers: { 'x-openclaw-admin-token': host.token, 'last-event-id': String(lastEventId) },
        agent: false,
      },
      (answer) => {
        const parser = createParser({
          onEvent: (message) => {
            if (count >= cutAfter) return
            count += 1
            onMessage({ id: Number(message.id), event: message.event, data: message.data })
            if (count >= cutAfter) {
              asked.destroy()
              resolve('cut')
            }
          },
        })
        answer.setEncoding('utf8')
        answer.on('data', (chunk: string) => parser.feed(chunk))
        answer.on('end', () => resolve('ended'))
        answer.on('error', () => resolve('cut'))
      },
    )
    asked.on('error', (error) => {
      if (count < cutAfter) reject(error)
    })
    asked.end()
  })
}

describe('the event stream of a run', () => {
  it('gives 10,000 lines complete, in order and once through 20 disconnects, while they are written', async () => {
    const { run_id: id } = await hostd.client.exec('doctor')
    const seqs: number[] = []
    const texts: string[] = []
    let end: string | null = null
    let cuts = 0
    for (;;) {
      const how = await connection(id, seqs.at(-1) ?? 0, cuts < 20 ? 450 : Infinity, (message) => {
        if (message.event === 'end') {
          end = message.data
          return
        }
        seqs.push(message.id)
        const event = JSON.parse(message.data) as { seq: number; type: string; text?: string }
        expect(event.seq).toBe(message.id)
        if (event.type === 'log') texts.push(event.text ?? '')
        if (texts.length === lines) open('end')
      })
      if (how === 'ended') break
      cuts += 1
    }
    expect(cuts).toBe(20)
    expect(seqs).toEqual(Array.from({ length: lines + 2 }, (_, n) => n + 1))
    expect(texts).toEqual(
      Array.from({ length: lines }, (_, n) => `line ${n + 1} ü ${'.'.repeat((n + 1) % 200)}`),
    )
    expect(end).toBe('{"status":"passed"}')
  })

  it('is followed by the client through a kill -9 of hostd, each event once', async () => {
    const { run_id: id } = await hostd.client.exec('doctor')
    const seqs: number[] = []
    const following = hostd.client.followRun(id, {
      onEvents: (events) => seqs.push(...events.map(({ seq }) => seq)),
    })
    await until('half of the lines', () => seqs.length > lines / 2)
    await hostd.kill()
    hostd = await startHostd(host, { port: hostd.port })
    open('end')
    expect(await following).toBe('passed')
    expect(seqs).toEqual(Array.from({ length: lines + 2 }, (_, n) => n + 1))
  })

  it('does not hold in memory what a stalled reader has not taken', async () => {
    const { run_id: id } = await hostd.client.exec('guard')
    const stalled = Array.from({ length: 4 }, () => {
      const asked = request(
        {
          host: '127.0.0.1',
          port: hostd.port,
          path: `/api/runs/${id}/events`,
          headers: { 'x-openclaw-admin-token': host.token },
          agent: false,
        },
        (answer) => answer.pause(),
      )
      asked.on('error', () => undefined)
      asked.end()
      return asked
    })
    const memory = (): number =>
      Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${hostd.pid}/status`, 'utf8'))?.[1])
    await until(
      '30 MB of log',
      () =>
        (statSync(runLogFile(host.paths, id), { throwIfNoEntry: false })?.size ?? 0) > 30_000_000,
    )
    const settled = async (): Promise<number> => {
      let last = 0
      return await until('memory to settle', async () => {
        const before = last
        await new Promise((resolve) => {
          setTimeout(resolve, 700)
        })
        last = memory()
        return Math.abs(before - last) < 1024 ? last : null
      })
    }
    const before = await settled()
    open('more')
    await until('120 MB of log', async () => (await hostd.client.run(id)).status === 'passed')
    const after = await settled()
    for (const each of stalled) each.destroy()
    // Kept in memory, the rest of the log would be 90 MB for each of four readers.
    expect(after - before).toBeLessThan(120 * 1024)
  })

  it('refuses a resume point that is no number, and a run that does not exist', async () => {
    const id = '20260101T000000Z-00000000'
    expect((await hostd.request(`/api/runs/${id}/events`)).status).toBe(404)
    const { run_id } = await hostd.client.exec('doctor')
    expect(
      (await hostd.request(`/api/runs/${run_id}/events`, { headers: { 'last-event-id': 'x' } }))
        .status,
    ).toBe(400)
    expect((await hostd.request(`/api/runs/${run_id}/events?after=-1`)).status).toBe(400)
  })
})

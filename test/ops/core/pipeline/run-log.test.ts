import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { eventsOut } from '#ops/core/pipeline/events-out'
import { followRunLog, RunLog } from '#ops/core/pipeline/run-log'
import type { EventBody, RunEvent } from '#shared/events'

let dir: string
let path: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'run-log-'))
  path = join(dir, 'run', 'log.ndjson')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const line = (text: string, stream: 'stdout' | 'stderr' | 'hq' = 'stdout'): EventBody => ({
  type: 'log',
  time: new Date().toISOString(),
  step: null,
  stream,
  text,
})
const texts = (events: RunEvent[]): string[] =>
  events.map((event) => (event.type === 'log' ? event.text : event.type))

async function collect(
  after: number,
  ended: () => boolean,
  onBatch?: (all: RunEvent[]) => void,
): Promise<RunEvent[]> {
  const all: RunEvent[] = []
  for await (const batch of followRunLog(path, {
    after,
    ended,
    signal: new AbortController().signal,
  })) {
    all.push(...batch)
    onBatch?.(all)
  }
  return all
}

describe('the run log', () => {
  it('is followed from before it exists until it has ended, complete and in order', async () => {
    let over = false
    const reading = collect(0, () => over)
    const log = new RunLog(path)
    for (let n = 1; n <= 5000; n += 1) log.append(line(`line ${n}`))
    log.close()
    over = true
    const events = await reading
    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 5000 }, (_, n) => n + 1))
    expect(texts(events).at(-1)).toBe('line 5000')
  })

  it('goes on after the number already seen', async () => {
    const log = new RunLog(path)
    for (let n = 1; n <= 10; n += 1) log.append(line(`${n}`))
    log.close()
    expect(texts(await collect(7, () => true))).toEqual(['8', '9', '10'])
  })

  it('gives a half-written line only when it is whole', async () => {
    const log = new RunLog(path)
    log.append(line('whole'))
    log.close()
    const second = `${JSON.stringify({ seq: 2, ...line('später') })}\n`
    appendFileSync(path, second.slice(0, 20))
    let over = false
    const events = await collect(
      0,
      () => over,
      (all) => {
        if (all.length === 1) appendFileSync(path, second.slice(20))
        if (all.length === 2) over = true
      },
    )
    expect(texts(events)).toEqual(['whole', 'später'])
  })

  it('reads a line again that its writer took back on a full disk and replaced by another', async () => {
    const log = new RunLog(path)
    log.append(line('whole', 'hq'))
    const size = statSync(path).size
    const torn = JSON.stringify({ seq: 2, type: 'step_started', time: 'never whole' })
    // It is called before each reading: at the third call the torn line has been read.
    let readings = 0
    const ended = (): boolean => {
      readings += 1
      if (readings === 1) appendFileSync(path, torn.slice(0, 40))
      if (readings === 3) {
        truncateSync(path, size)
        log.append(line('in its place', 'hq'))
      }
      return readings > 4
    }
    const events = await collect(0, ended)
    log.close()
    expect(texts(events)).toEqual(['whole', 'in its place'])
  })

  it('reads a line that is longer than several chunks', async () => {
    const log = new RunLog(path)
    const long = 'x'.repeat(3 * 1024 * 1024)
    for (const text of ['before', long, 'after']) log.append(line(text))
    log.close()
    expect(texts(await collect(0, () => true))).toEqual(['before', long, 'after'])
  })

  it('cuts the lines at its limit, says so once, and keeps the step changes', async () => {
    const log = new RunLog(path, 500)
    for (let n = 0; n < 50; n += 1) log.append(line('x'.repeat(50)))
    log.append({ type: 'step_started', time: new Date().toISOString(), step: 'after' })
    log.close()
    const events = await collect(0, () => true)
    expect(events.filter(({ type }) => type === 'log_truncated')).toHaveLength(1)
    expect(events.at(-1)).toMatchObject({ type: 'step_started', step: 'after', seq: events.length })
    expect(events.length).toBeLessThan(10)
  })

  it('refuses a second writer', () => {
    new RunLog(path).close()
    expect(() => new RunLog(path)).toThrow(/EEXIST/)
  })

  it('H7 redacts and writes together what comes together, at a fraction of the cost', async () => {
    const log = new RunLog(path)
    const started = process.cpuUsage()
    for (let n = 1; n <= 20_000; n += 1)
      log.append(line(`line ${n} of a program that prints a lot`))
    const { user, system } = process.cpuUsage(started)
    log.close()
    expect(await collect(0, () => true)).toHaveLength(20_000)
    expect((user + system) / 1000).toBeLessThan(350)
  })

  it('H7 redacts of lines that come together those that hold a secret, also a key over many', async () => {
    const token = ['ghp', 'aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY1zA3'].join('_')
    const body = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj'
    const log = new RunLog(path)
    for (const text of ['plain', `uses ${token}`, '-----BEGIN PRIVATE KEY-----', body, 'half'])
      log.append(line(text))
    await Promise.resolve()
    log.append(line('plain', 'stderr'))
    log.append(line(body))
    log.append(line('-----END PRIVATE KEY-----'))
    log.append(line('after'))
    log.close()
    const kept = texts(await collect(0, () => true))
    expect([kept[0], kept[1], kept[5], kept.at(-1)]).toEqual([
      'plain',
      'uses [redacted]',
      'plain',
      'after',
    ])
    expect(kept.join('\n')).not.toContain(body.slice(0, 20))
  })

  it('H7 throws at the next event when lines that came together could not be written', async () => {
    const full = openSync('/dev/full', 'w')
    vi.stubEnv('OPENCLAW_EVENTS_FD', String(full))
    const emit = eventsOut()
    emit(line('lost'))
    await Promise.resolve()
    expect(() => emit(line('later'))).toThrow(/ENOSPC/)
    expect(() => emit(line('from HQ', 'hq'))).toThrow(/ENOSPC/)
    vi.unstubAllEnvs()
    closeSync(full)
  })
})

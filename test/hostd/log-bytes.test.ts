import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { createParser } from 'eventsource-parser'
import { Agent, fetch } from 'undici'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { errorBody } from '#shared/api'
import { bootId } from '#ops/base/process/process-tree'
import { runJsonFile, runLogFile, runResultFile } from '#ops/host/runner/run-files'
import { startHostd, testHost, until, type TestHost, type TestHostd } from '../support/hostd.ts'

const lines = 200_000
const time = '2026-01-01T00:00:00.000Z'
const id = '20260101T000000Z-0123abcd'

let host: TestHost
let hostd: TestHostd

/** A run that has ended, with this text as its log. */
function writeRun(log: string): void {
  mkdirSync(dirname(runLogFile(host.paths, id)), { recursive: true })
  writeFileSync(runLogFile(host.paths, id), log)
  const common = { schema_version: 1, run_id: id, started_at: time }
  writeFileSync(
    runResultFile(host.paths, id),
    JSON.stringify({
      ...common,
      overall: 'PASS',
      step_failed: null,
      error_class: null,
      next_auto_fix: null,
      git_head: null,
      git_tree: null,
      finished_at: time,
      steps: [],
      artifacts: {},
    }),
  )
  writeFileSync(
    runJsonFile(host.paths, id),
    JSON.stringify({
      ...common,
      action: 'doctor',
      lane: 'doctor',
      params: {},
      actor: 'local',
      deploy_run_id: null,
      requested_at: time,
      unit: null,
      pid: 999_999,
      pgid: 999_999,
      start_time: '1',
      boot_id: bootId(),
    }),
  )
}

/** Valid JSON as no program of HQ writes it: JSON.parse and JSON.stringify would not give it back. */
const oddLine = (n: number): string =>
  `{ "type" : "log","time":"${time}", "seq":${n} ,"step":null,"stream":"hq","text":"\\u00fc ${n}" }`
const plainLine = (n: number): string =>
  JSON.stringify({ seq: n, time, type: 'log', step: null, stream: 'hq', text: `line ${n}` })

/** Highest memory that it has used so far, MB. */
const peakMemory = ({ pid }: TestHostd): number =>
  Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

async function read(headers: Record<string, string> = {}): Promise<{
  ids: number[]
  data: string[]
  end: string | null
}> {
  const ids: number[] = []
  const data: string[] = []
  let end: string | null = null
  const parser = createParser({
    onEvent: (message) => {
      if (message.event === 'end') {
        end = message.data
        return
      }
      ids.push(Number(message.id))
      data.push(message.data)
    },
  })
  const answer = await fetch(`${hostd.url}/api/runs/${id}/events`, {
    headers: { 'x-openclaw-admin-token': host.token, ...headers },
  })
  const decoder = new TextDecoder()
  try {
    for await (const chunk of answer.body ?? [])
      parser.feed(decoder.decode(chunk, { stream: true }))
  } catch (error) {
    if (!(error instanceof TypeError)) throw error // the connection was cut: `end` is missing
  }
  return { ids, data, end }
}

beforeEach(() => {
  host = testHost()
})
afterEach(async () => {
  await hostd.kill()
  await host.remove()
})

describe('H2 the streams of one log', () => {
  it('are limited for each caller, refused with a class, and given again when one ends', async () => {
    writeRun(`${plainLine(2).replace('line', 'x'.repeat(100_000))}\n`.repeat(200))
    hostd = await startHostd(host)
    const open: AbortController[] = []
    const start = async (login: string): Promise<string> => {
      const control = new AbortController()
      open.push(control)
      const answer = await fetch(`http://localhost/api/runs/${id}/events`, {
        headers: hostd.tailnet.headers(login),
        dispatcher: new Agent({ connect: { socketPath: hostd.tailnet.socketPath } }),
        signal: control.signal,
      })
      if (answer.status === 200) return '200'
      return `${answer.status} ${errorBody.parse(await answer.json()).error_class}`
    }
    const counts = async (login: string, count: number): Promise<Record<string, number>> => {
      const all = await Promise.all(Array.from({ length: count }, async () => await start(login)))
      return Object.fromEntries(
        [...new Set(all)].map((each) => [each, all.filter((one) => one === each).length]),
      )
    }
    expect(await counts('a@example.com', 100)).toEqual({ 200: 32, '503 too_many_streams': 68 })
    expect(await counts('b@example.com', 100)).toEqual({ 200: 32, '503 too_many_streams': 68 })
    expect(await start('c@example.com')).toBe('503 too_many_streams')
    expect((await hostd.request('/health')).status).toBe(200)
    for (const control of open) control.abort()
    await until('a place for another caller', async () => (await start('c@example.com')) === '200')
    open.at(-1)?.abort()
  })
})

describe('the lines of a log', () => {
  it('H3 reach the reader byte for byte, under their numbers, and hostd holds few of them', async () => {
    const written = Array.from({ length: lines }, (_, at) =>
      at % 1000 === 0 ? oddLine(at + 1) : plainLine(at + 1),
    )
    writeRun(`${written.join('\n')}\n`)
    hostd = await startHostd(host)
    const before = peakMemory(hostd)
    const all = await read()
    expect(peakMemory(hostd) - before).toBeLessThan(80)
    expect(all.data.length).toBe(lines)
    expect(all.data.every((line, at) => line === written[at])).toBe(true)
    expect(all.ids.every((number, at) => number === at + 1)).toBe(true)
    expect(all.end).toBe('{"status":"passed"}')

    const behind = 123_456
    const rest = await read({ 'last-event-id': String(behind) })
    expect([rest.ids[0], rest.ids.at(-1), rest.ids.length]).toEqual([
      behind + 1,
      lines,
      lines - behind,
    ])
    expect(rest.data[0]).toBe(written[behind])
  })

  it('are given whole: a last line without its end is left out', async () => {
    writeRun(`${plainLine(1)}\n${plainLine(2).slice(0, 30)}`)
    hostd = await startHostd(host)
    expect(await read()).toEqual({
      ids: [1],
      data: [plainLine(1)],
      end: '{"status":"passed"}',
    })
  })

  it('stay one message when they hold a carriage return', async () => {
    writeRun(`${plainLine(1).replace(',', ',\r')}\r\n${plainLine(2)}\n`)
    hostd = await startHostd(host)
    const { ids, data } = await read()
    expect(ids).toEqual([1, 2])
    expect(JSON.parse(data[0] ?? '')).toEqual(JSON.parse(plainLine(1)))
  })

  it('cut the stream where the log is damaged, and hostd says so', async () => {
    writeRun(`${plainLine(1)}\nnot an event\n${plainLine(3)}\n`)
    hostd = await startHostd(host)
    expect((await read()).end).toBeNull()
    expect(hostd.said()).toContain('stream_broken')
    expect(hostd.said()).toContain('line 2 of the log is not a JSON object')
  })
})

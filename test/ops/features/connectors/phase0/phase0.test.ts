import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ConnectorsResult } from '#shared/connectors'
import type { EventBody } from '#shared/events'
import { newRunId } from '#shared/ids'
import { harvestRecord, librarySnapshot, type HarvestRecord } from '#shared/phase0'
import { runPhase0 } from '#ops/features/connectors/phase0/pipeline'
import { unfinishedHarvest } from '#ops/core/host-state/unfinished-harvest'
import { connectorHost, session, type ConnectorHost } from '../../../../support/connector-host.ts'
import { kajabi } from '../../../../support/connector-peers.ts'

let at: ConnectorHost
beforeAll(async () => {
  at = await connectorHost()
})
afterAll(async () => await at.remove())
beforeEach(async () => {
  await at.reset()
})

interface Run {
  readonly result: ConnectorsResult
  readonly events: readonly EventBody[]
  readonly file: (name: string) => string
  /** Lines of the harvest, each of the right form. */
  readonly harvest: () => readonly HarvestRecord[]
}

async function phase0(onEvent: (event: EventBody, stop: () => void) => void = () => undefined) {
  const runId = newRunId()
  const events: EventBody[] = []
  const abort = new AbortController()
  const result = await runPhase0(
    { paths: at.host.paths, runId },
    {
      emit: (event) => {
        events.push(event)
        onEvent(event, () => abort.abort())
      },
      signal: abort.signal,
    },
  )
  const file = (name: string): string =>
    readFileSync(join(at.host.paths.artifacts, 'phase0', runId, name), 'utf8')
  return {
    result,
    events,
    file,
    harvest: () =>
      file('gmail_harvest.jsonl')
        .split('\n')
        .slice(0, -1)
        .map((line) => harvestRecord.parse(JSON.parse(line))),
  } satisfies Run
}

/** The mailbox answers this many requests for messages; after that it is busy, and may be asked again at once. */
const busyAfter = (count: number): void => {
  let left = count
  at.google.mailbox.instead = (request, response) => {
    if (!(request.url ?? '').includes('/messages/')) return false
    left -= 1
    if (left >= 0) return false
    response.writeHead(503, { 'retry-after': '0' }).end()
    return true
  }
}
const messages = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    id: (0x1000 + count - index).toString(16),
    subject: `Message ${count - index}`,
  }))
const readOnce = (): readonly string[] =>
  at.google.mailbox.requests
    .filter((url) => url.includes('/messages/'))
    .map((url) => url.replace(/.*messages\/([^?]*).*/, '$1'))

describe('Phase 0 with every connector ready', () => {
  it('leaves a snapshot of the library and a harvest, with what services wrote as text', async () => {
    at.google.mailbox.messages = [
      ...at.google.mailbox.messages,
      { id: '0a', subject: 'a token ghp_0123456789abcdefghijABCDEFGHIJ012345 in a subject' },
    ]
    const { result, events, file, harvest } = await phase0()
    expect([result.overall, result.detail]).toEqual(['PASS', undefined])
    expect(result.library).toEqual({ pages: 1, items: 2, complete: true, limit: null })
    expect(result.harvest).toMatchObject({ messages: 3, resumed: 0, complete: true, limit: null })
    expect(librarySnapshot.parse(JSON.parse(file('kajabi_library_snapshot.json')))).toMatchObject({
      complete: true,
      items: 2,
      pages: [
        {
          path: '/admin/products',
          title: 'Products & more',
          items: [
            { title: 'Course one', href: '/admin/products/1' },
            { title: '<i>Two</i>', href: '/admin/products/2?tab=a' },
          ],
        },
      ],
    })
    const [hello, bold, token] = harvest()
    expect(hello).toEqual({
      id: '18c0ffee00000002',
      thread: '18c0ffee00000002',
      date: '2026-11-29T00:00:00.000Z',
      from: 'Grace <grace@example.test>',
      to: 'team@example.test',
      subject: 'Hello',
      labels: ['INBOX'],
      attachments: [{ name: 'a.pdf', size: 1234 }],
    })
    expect(bold?.subject).toBe('<b>Bold</b> & "quoted"')
    expect(token?.subject).not.toContain('ghp_')
    const steps = events.flatMap((event) =>
      event.type === 'step_finished'
        ? [`${event.step} ${event.status}: ${event.detail ?? ''}`]
        : [],
    )
    expect(steps).toEqual([
      'connectors passed: 2 connectors are ready.',
      'library passed: 1 pages, 2 items.',
      'harvest passed: 3 messages.',
    ])
    // The text of a message is never requested.
    for (const url of readOnce().length > 0 ? at.google.mailbox.requests : [''])
      expect(url).toMatch(/[?&]fields=(?!.*(?:data|snippet|raw))/)
  })

  it('keeps only the configured fields, and stops at the limits of host.json', async () => {
    at.google.mailbox.messages = messages(30)
    at.google.mailbox.pageSize = 10
    const limited = async (gmail: Record<string, unknown>) => {
      at.settings({ gmail: { harvest_max_messages: 1000, harvest_max_pages: 40, ...gmail } })
      const { result, harvest } = await phase0()
      expect(result.harvest?.complete).toBe(false)
      return [result.overall, result.harvest?.limit, harvest().length]
    }
    expect(await limited({ harvest_max_messages: 12 })).toEqual(['PASS', 'messages', 12])
    expect(await limited({ harvest_max_pages: 2 })).toEqual(['PASS', 'pages', 20])
    at.settings({ gmail: { harvest_fields: ['subject'], harvest_max_bytes: 1024 } })
    const { result, harvest } = await phase0()
    expect([result.overall, result.harvest?.limit]).toEqual(['PASS', 'bytes'])
    expect(harvest().length).toBeLessThan(30)
    expect(Object.keys(harvest()[0] ?? {})).toEqual(['id', 'thread', 'date', 'subject'])
  })
})

describe('a harvest that ends early', () => {
  it('keeps what it read, and the next run reads the rest only, each message once', async () => {
    at.google.mailbox.messages = messages(20)
    busyAfter(12)
    const first = await phase0()
    expect([first.result.error_class, first.result.step_failed]).toEqual([
      'connector_unreachable',
      'harvest',
    ])
    expect(first.result.library).toMatchObject({ complete: true, items: 2 })
    expect(first.result.harvest).toMatchObject({ messages: 12, complete: false })
    expect(first.harvest()).toHaveLength(12)
    // A run that was killed while it wrote leaves a line without its end.
    appendFileSync(unfinishedHarvest(at.host.paths), '{"id":"1007","thr')
    // Since then one message came and one was deleted.
    const [newest, ...older] = messages(21)
    at.google.mailbox.messages = [newest ?? [], older.slice(1)].flat()
    at.google.mailbox.requests.length = 0
    at.google.mailbox.instead = () => false
    const second = await phase0()
    expect(second.result.overall).toBe('PASS')
    expect(second.result.harvest).toMatchObject({ messages: 20, resumed: 11, complete: true })
    const ids = second.harvest().map(({ id }) => id)
    expect(ids).toEqual(at.google.mailbox.messages.map(({ id }) => id))
    expect(readOnce()).toHaveLength(9)
    // A whole harvest leaves nothing to continue.
    at.google.mailbox.requests.length = 0
    expect((await phase0()).result.harvest).toMatchObject({ messages: 20, resumed: 0 })
    expect(readOnce()).toHaveLength(20)
  })

  it('because the run was cancelled leaves its lines too, and another query does not continue it', async () => {
    at.google.mailbox.messages = messages(150)
    const stopAt = (event: EventBody, stop: () => void): void => {
      if (event.type === 'log' && event.text === '100 messages') stop()
    }
    const cancelled = await phase0(stopAt)
    expect(cancelled.result).toMatchObject({ error_class: 'cancelled', step_failed: 'harvest' })
    expect(cancelled.harvest().length).toBeGreaterThanOrEqual(100)
    at.settings({ gmail: { harvest_query: 'is:starred' } })
    expect((await phase0()).result.harvest).toMatchObject({ query: 'is:starred', resumed: 0 })
  })

  it('is not continued for another mailbox', async () => {
    at.google.mailbox.messages = messages(20)
    busyAfter(10)
    await phase0()
    at.google.mailbox.instead = () => false
    at.google.instead = (request, response) => {
      if (request.url !== '/gmail/v1/users/me/profile') return false
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ emailAddress: 'eve@example.test', messagesTotal: 3 }))
      return true
    }
    const { result } = await phase0()
    at.google.instead = null
    expect(result.harvest).toMatchObject({ messages: 20, resumed: 0, complete: true })
  })

  it('at its time limit is unfinished and not passed', async () => {
    at.google.mailbox.instead = (request) => (request.url ?? '').includes('/messages/')
    at.settings({ gmail: { harvest_seconds: 1 } })
    expect((await phase0()).result).toMatchObject({
      overall: 'FAIL',
      error_class: 'harvest_incomplete',
      next_auto_fix: 'continue_phase0',
      detail: expect.stringContaining('took longer than 1 s. What was read is kept.'),
    })
  })

  it('is not continued from a file that is not its own', async () => {
    writeFileSync(unfinishedHarvest(at.host.paths), '<html>\n{"id":"1"}\n')
    expect((await phase0()).result).toMatchObject({ overall: 'PASS', harvest: { resumed: 0 } })
  })
})

describe('a library', () => {
  it('without an item has a class of its own, and its snapshot says so', async () => {
    at.kajabi.answer = (request, response) => {
      if (request.url !== '/admin/products') kajabi(session)(request, response)
      else response.writeHead(200, { 'content-type': 'text/html' }).end('<title>Products</title>')
    }
    const { result, file } = await phase0()
    expect(result).toMatchObject({
      overall: 'FAIL',
      error_class: 'library_empty',
      step_failed: 'library',
      library: { pages: 1, items: 0, complete: true },
    })
    expect(JSON.parse(file('kajabi_library_snapshot.json'))).toMatchObject({ items: 0 })
    expect(at.google.mailbox.requests).toEqual([])
  })

  it('behind a login form is an expired login, and there is no snapshot', async () => {
    at.kajabi.answer = (request, response) => {
      if (request.url !== '/admin/products') kajabi(session)(request, response)
      else {
        const form = '<form><input type=password></form>'
        response.writeHead(200, { 'content-type': 'text/html' }).end(form)
      }
    }
    const { result, file } = await phase0()
    expect(result).toMatchObject({ error_class: 'connector_expired', step_failed: 'library' })
    expect(result.library).toBeUndefined()
    expect(() => file('kajabi_library_snapshot.json')).toThrow('ENOENT')
  })
})

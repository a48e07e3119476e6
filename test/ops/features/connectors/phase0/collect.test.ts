import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { collect } from '#ops/features/connectors/phase0/collect'
import { collectAsSecretOwner } from '#ops/features/connectors/phase0/collect-as-owner'
import type { CollectLine } from '#ops/features/connectors/phase0/lines'
import { runCommand } from '#ops/base/process/command'
import { hostSettings } from '#shared/config'
import type { CollectPart } from '#shared/phase0'
import { readHostSettings } from '#ops/core/config/settings-files'
import { connectorHost, type ConnectorHost } from '../../../../support/connector-host.ts'
import { imapPeer } from '../../../../support/connector-peers.ts'

let at: ConnectorHost
beforeAll(async () => {
  at = await connectorHost()
})
afterAll(async () => await at.remove())
beforeEach(async () => await at.reset())

/** @returns the lines of one part, collected in this process */
async function linesOf(part: CollectPart, known: readonly string[] = []): Promise<CollectLine[]> {
  const lines: CollectLine[] = []
  await collect(
    part,
    {
      settings: readHostSettings(at.host.paths),
      paths: at.host.paths,
      signal: new AbortController().signal,
      known: new Set(known),
    },
    (line) => {
      lines.push(line)
      return Promise.resolve()
    },
  )
  return lines
}
const problemOf = (lines: readonly CollectLine[]): string => {
  const last = lines.at(-1)
  return last?.type === 'problem' ? `${last.error_class}: ${last.message}` : JSON.stringify(last)
}

/** Kajabi answers each path with this page. */
const pages = (of: Readonly<Record<string, string>>, type = 'text/html'): void => {
  at.kajabi.answer = (request, response) => {
    response.writeHead(200, { 'content-type': type }).end(of[request.url ?? ''] ?? 'nothing')
  }
}
const links = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, index) => {
    const number = from + index
    return `<a href="products/${number}">Item ${number}</a>`
  }).join('')

describe('the library of Kajabi', () => {
  it('is read over the pages of a list, up to the limits, and never in a circle', async () => {
    pages({
      '/admin/products': `<title>One</title>${links(0, 3)}<a rel="next" href="?page=2">›</a>`,
      '/admin/products?page=2': `<title>Two</title>${links(3, 5)}<a rel="next" href="?">›</a>
        <a rel="next" href="/admin/users">other</a>`,
    })
    const titles = (lines: readonly CollectLine[]): string[] =>
      lines.map((line) =>
        line.type === 'page' ? line.page.title : line.type === 'item' ? line.item.href : line.type,
      )
    const hrefs = [0, 1, 2, 3, 4].map((number) => `/admin/products/${number}`)
    const whole = await linesOf('library')
    expect(titles(whole)).toEqual(['One', ...hrefs.slice(0, 3), 'Two', ...hrefs.slice(3), 'end'])
    expect(whole.at(-1)).toEqual({ type: 'end', limit: null })
    pages({
      '/admin/products': `<title>One</title>${links(0, 3)}<a rel="next" href="/admin/products/page/2">›</a>`,
      '/admin/products/page/2': `<title>Two</title>${links(3, 5).replaceAll('"products', '"/admin/products')}
        <a href="/admin/products">first</a><a rel="next" href="/admin/products/page/2">›</a>`,
    })
    expect(titles(await linesOf('library'))).toEqual(titles(whole))
    at.settings({ kajabi: { library_max_items: 4 } })
    expect((await linesOf('library')).slice(-2)).toEqual([
      { type: 'item', item: { title: 'Item 3', href: '/admin/products/3' } },
      { type: 'end', limit: 'items' },
    ])
    at.settings({ kajabi: { library_max_pages: 1 } })
    expect((await linesOf('library')).at(-1)).toEqual({ type: 'end', limit: 'pages' })
  })

  it('takes the text and the address of a link as data, however they are written', async () => {
    pages({
      '/admin/products': `<svg><title>icon</title></svg><title>T</title><base href="https://evil.example/">
        <a href="/admin/products/1">  ${'x'.repeat(2000)}</a>
        <a href="/admin/products/2" aria-label="Named"><svg><text>no</text></svg></a>
        <a href="javascript:alert(1)">js</a><a href="//evil.example/admin/products/4">other host</a>
        <a href="/admin/products/3"><script>alert(1)</script>Un<i>closed`,
    })
    const items = (await linesOf('library')).flatMap((line) =>
      line.type === 'item' ? [line.item] : [],
    )
    expect(items).toEqual([
      { title: 'x'.repeat(300), href: '/admin/products/1' },
      { title: 'Named', href: '/admin/products/2' },
      { title: 'Unclosed', href: '/admin/products/3' },
    ])
    at.settings({ kajabi: { library_item_paths: ['/admin/products/3', '/elsewhere/'] } })
    expect((await linesOf('library')).filter(({ type }) => type === 'item')).toHaveLength(0)
  })

  it('of a service that answers something else is not taken for a library', async () => {
    pages({}, 'application/json')
    expect(problemOf(await linesOf('library'))).toMatch(
      /^connector_answer_unexpected: .*not a web page/,
    )
    pages({ '/admin/products': 'x'.repeat(3 * 1024 * 1024) })
    expect(problemOf(await linesOf('library'))).toMatch(/more than 2097152 bytes/)
    at.kajabi.answer = (request, response) => {
      if (request.url === '/admin/products') response.writeHead(302, { location: '/admin' }).end()
      else response.setHeader('content-type', 'text/html').end('<a href="/admin/people">People</a>')
    }
    expect(problemOf(await linesOf('library'))).toMatch(
      /^connector_answer_unexpected: .*to another page/,
    )
    at.kajabi.answer = () => undefined
    at.settings({ kajabi: { library_seconds: 1 } })
    expect(problemOf(await linesOf('library'))).toMatch(/^connector_unreachable: .*longer than 1 s/)
  })
})

describe('the harvest of Gmail', () => {
  const instead = (
    status: number,
    body: string,
    { times = Number.POSITIVE_INFINITY, of = '/messages' } = {},
  ): void => {
    let left = times
    at.google.mailbox.instead = (request, response) => {
      if (left <= 0 || !(request.url ?? '').includes(of)) return false
      left -= 1
      response.writeHead(status, { 'retry-after': '0' }).end(body)
      return true
    }
  }
  const reason = (text: string): string =>
    JSON.stringify({ error: { errors: [{ reason: text }], message: '<b>secret</b>' } })

  it('waits when Gmail asks for less, and ends when it keeps on asking', async () => {
    for (const [status, body] of [
      [429, ''],
      [500, 'oops'],
      [403, reason('userRateLimitExceeded')],
    ] as const) {
      instead(status, body, { times: 3 })
      expect(problemOf(await linesOf('harvest'))).toBe('{"type":"end","limit":null}')
      instead(status, body)
      expect(problemOf(await linesOf('harvest'))).toMatch(
        new RegExp(`^connector_unreachable: .* answered ${status}, also to 4 further tries`),
      )
    }
  })

  it('names every other answer by its class, and repeats none', async () => {
    const cases = [
      [401, '', 'connector_refused'],
      [403, reason('insufficientPermissions'), 'connector_scope_missing'],
      [400, '<b>secret</b>', 'connector_answer_unexpected'],
      [200, '<!doctype html><b>secret</b>', 'connector_answer_unexpected'],
      [200, '{"messages":[{"id":"../../secret"}]}', 'connector_answer_unexpected'],
      [200, `{"messages":"${'x'.repeat(3 * 1024 * 1024)}"}`, 'connector_answer_unexpected'],
    ] as const
    for (const [status, body, errorClass] of cases) {
      instead(status, body)
      const said = problemOf(await linesOf('harvest'))
      expect(said).toMatch(new RegExp(`^${errorClass}: `))
      expect(said).not.toContain('secret')
    }
    at.google.mailbox.messages = at.google.mailbox.messages.slice(0, 1)
    instead(200, '{"id":"ff"}', { of: '/messages/' })
    expect(problemOf(await linesOf('harvest'))).toMatch(/not answer with the message that was/)
  })

  it('leaves out a message that was deleted, and reads none twice when a list repeats itself', async () => {
    instead(404, '', { times: 1, of: '/messages/' })
    const gone = await linesOf('harvest')
    expect(gone.map(({ type }) => type)).toEqual(['exchanged', 'message', 'end'])
    at.google.mailbox.instead = (request, response) => {
      if ((request.url ?? '').includes('/messages/')) return false
      response.end('{"messages":[{"id":"18c0ffee00000001"}],"nextPageToken":"again"}')
      return true
    }
    at.google.mailbox.requests.length = 0
    expect((await linesOf('harvest')).map(({ type }) => type)).toEqual([
      'exchanged',
      'message',
      'end',
    ])
    expect(at.google.mailbox.requests).toHaveLength(41)
    expect((await linesOf('harvest', ['18c0ffee00000001'])).slice(1, 2)).toEqual([
      { type: 'keep', id: '18c0ffee00000001' },
    ])
  })
})

describe('the harvest over IMAP', () => {
  const harvested = (lines: readonly CollectLine[]): unknown[] =>
    lines.map((line) => (line.type === 'message' ? line.message.id : line.type))

  it('of Gmail uses its search, ids and labels, and changes nothing in the mailbox', async () => {
    at.useImap()
    const lines = await linesOf('harvest')
    expect(lines).toMatchObject([
      {
        type: 'message',
        message: {
          id: '10b',
          thread: '1000',
          date: '2026-11-29T00:00:00.000Z',
          from: 'Grace <grace@example.test>',
          to: 'team@example.test',
          subject: 'Grüße 12',
          labels: ['\\Inbox', 'Work'],
          attachments: [{ name: 'a.pdf', size: 1234 }],
        },
      },
      { type: 'message', message: { id: '10a' } },
      { type: 'end', limit: null },
    ])
    const { commands } = at.imap.mailbox
    expect(commands.filter((command) => /^(?:EXAMINE|UID SEARCH)/.test(command))).toEqual([
      'EXAMINE "[Gmail]/Alle"',
      'UID SEARCH X-GM-RAW newer_than:90d',
    ])
    expect(commands.join('\n')).not.toMatch(/SELECT|STORE|BODY\[|BODY\.PEEK|RFC822/)
    expect(harvested(await linesOf('harvest', ['10b']))).toEqual(['keep', '10a', 'end'])
    at.settings({ gmail: { harvest_max_messages: 1, harvest_fields: [] } })
    expect(await linesOf('harvest')).toEqual([
      { type: 'message', message: { id: '10b', thread: '1000', date: '2026-11-29T00:00:00.000Z' } },
      { type: 'end', limit: 'messages' },
    ])
  })

  it('of another server translates the query, or says that it cannot', async () => {
    at.useImap({ harvest_query: 'from:ada subject:"two words" -draft after:2026/11/01' })
    at.imap.mailbox.gmail = false
    expect(harvested(await linesOf('harvest'))).toEqual(['7-12', '7-11', 'end'])
    const search = at.imap.mailbox.commands.find((command) => command.startsWith('UID SEARCH'))
    for (const part of ['FROM ada', 'SUBJECT "two words"', 'NOT TEXT draft', 'SINCE 01-Nov-2026'])
      expect(search).toContain(part)
    for (const query of [
      'in:anywhere',
      'newer_than:soon',
      'after:2026',
      'subject:"two',
      'a OR b',
      '{a b}',
    ]) {
      at.useImap({ harvest_query: query })
      expect(problemOf(await linesOf('harvest')), query).toMatch(
        /^config_invalid: gmail\.harvest_query of host\.json: .*No message was read\./,
      )
    }
  })

  it('ends when the server refuses the search, or says more than a harvest takes', async () => {
    at.useImap()
    at.imap.mailbox.searchStatus = 'NO'
    expect(problemOf(await linesOf('harvest'))).toMatch(
      /^connector_answer_unexpected: .*the search/,
    )
    for (const [flood, said] of [
      ['* SEARCH 1 2 3\r\n', /^connector_answer_unexpected: .* more than \d+ bytes for a harvest/],
      ['1 2 3 ', /^connector_answer_unexpected: .* more than 1048576 bytes in one line/],
    ] as const) {
      const peer = await imapPeer({
        user: 'ada@example.test',
        pass: 'abcdefghijklmnop',
        flood: { at: 'SEARCH', text: flood },
      })
      at.useImap({ imap_port: peer.port, imap_ca_file: peer.caFile, harvest_max_messages: 1 })
      expect(problemOf(await linesOf('harvest'))).toMatch(said)
      await peer.close()
    }
  })
})

describe('the run that reads what was collected', () => {
  /** Reads what a program prints, as if it were the one that collects. */
  const kept: unknown[] = []
  const reading = async (program: string, take = (): boolean => true) =>
    await collectAsSecretOwner('harvest', {
      owner: {
        settings: hostSettings.parse({}),
        hq: (_args, options) =>
          runCommand([process.execPath, '-e', program], { ...options, cwd: '/', env: {} }),
        exchanging: (_names, _signal, work) =>
          work({ keep: (renewal) => void kept.push(renewal), end: (name) => void kept.push(name) }),
      },
      seconds: 30,
      signal: new AbortController().signal,
      known: [],
      take,
    })
  const message = JSON.stringify({
    type: 'message',
    message: { id: 'a', thread: null, date: null },
  })
  const end = '{"type":"end","limit":null}'
  const printing = (...lines: readonly string[]): string =>
    `console.log(${JSON.stringify(lines.join('\n'))})`

  it('takes lines of the expected form only, and an end that was said', async () => {
    const renewal = { name: 'gmail', file: 'gmail_oauth.json', was: 'a', content: 'b' } as const
    const exchange = [
      { type: 'renewed', renewal },
      { type: 'exchanged', name: 'gmail' },
    ].map((line) => JSON.stringify(line))
    expect(await reading(printing(...exchange, end))).toBeNull()
    expect(kept).toEqual([renewal, 'gmail'])
    expect(await reading(printing(message, end))).toBeNull()
    const cases = [
      [printing(message), /without a result/],
      [printing('<html>', end), /not of the expected form/],
      [printing(message.replace('"a"', '"../a"'), end), /not of the expected form/],
      [printing(message.replace('null', 'null,"body":"text"'), end), /not of the expected form/],
      [printing(end, message), /not of the expected form/],
      ['for (;;) require("fs").writeSync(1, "x".repeat(65536))', /too long/],
      ['process.exit(3)', /exit code 3/],
    ] as const
    for (const [program, said] of cases)
      await expect(reading(program), program).rejects.toMatchObject({
        errorClass: 'action_no_result',
        message: expect.stringMatching(said),
      })
    await expect(
      reading(printing('{"type":"problem","error_class":"connector_expired","message":"Gone."}')),
    ).rejects.toMatchObject({ errorClass: 'connector_expired', message: 'Gone.' })
  })

  it('ends a program that goes on when enough was taken, or the disk is full', async () => {
    const endless = `const line = ${JSON.stringify(`${message}\n`)}; for (;;) require('fs').writeSync(1, line)`
    let taken = 0
    expect(await reading(endless, () => (taken += 1) < 5)).toBe('bytes')
    expect(taken).toBe(5)
    await expect(
      reading(endless, () => {
        throw Object.assign(new Error('ENOSPC: full'), { code: 'ENOSPC' })
      }),
    ).rejects.toMatchObject({ errorClass: 'disk_full' })
  })
})

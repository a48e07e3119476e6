import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { networkReason } from '#shared/network-reason'
import { probeHealth } from '#ops/base/http/health'
import { AnswerTooLarge, httpRequest } from '#ops/base/http/request'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

const serve = async (listener: RequestListener, at: string | number = 0): Promise<Server> => {
  const server = createServer(listener)
  await new Promise<void>((resolve) => {
    server.listen(typeof at === 'number' ? { port: at, host: '127.0.0.1' } : at, resolve)
  })
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return server
}
const urlOf = (server: Server): string =>
  `http://127.0.0.1:${(server.address() as AddressInfo).port}`

/** Answers with what it was sent. */
const echo: RequestListener = (request, response) => {
  let body = ''
  request.setEncoding('utf8').on('data', (part: string) => (body += part))
  request.once('end', () => {
    const { method, url, headers } = request
    response.end(
      JSON.stringify({ method, url, host: headers.host, agent: headers['user-agent'], body }),
    )
  })
}

describe('one bounded request', () => {
  it('sends path, query, body and a Host header that the caller names', async () => {
    const url = urlOf(await serve(echo))
    const answer = await httpRequest(`${url}/a/b?c=d%2Fe`, {
      method: 'POST',
      headers: { host: 'app.example.test' },
      body: 'grant=1',
    })
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.text)).toEqual({
      method: 'POST',
      url: '/a/b?c=d%2Fe',
      host: 'app.example.test',
      agent: 'openclaw-hq',
      body: 'grant=1',
    })
  })

  it('connects through a unix socket, with the host of the URL as its Host header', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'openclaw-http-'))
    closing.push(() => rmSync(folder, { recursive: true, force: true }))
    const socketPath = join(folder, 's')
    await serve(echo, socketPath)
    const { text } = await httpRequest('http://docker/version', { socketPath })
    expect(JSON.parse(text)).toMatchObject({ method: 'GET', url: '/version', host: 'docker' })
    await expect(
      httpRequest('http://docker/version', { socketPath: join(folder, 'none') }),
    ).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('does not follow a redirect', async () => {
    let seen = 0
    const url = urlOf(
      await serve((_, response) => {
        seen += 1
        response.writeHead(302, { location: '/elsewhere' }).end('moved')
      }),
    )
    const { status, headers, text } = await httpRequest(url)
    expect([status, headers.location, text, seen]).toEqual([302, '/elsewhere', 'moved', 1])
  })

  it('reads an answer of the largest size, and refuses a larger one', async () => {
    const url = urlOf(await serve((_, response) => response.end('x'.repeat(1000))))
    expect((await httpRequest(url, { maxBytes: 1000 })).text).toHaveLength(1000)
    const refused = httpRequest(url, { maxBytes: 999 })
    await expect(refused).rejects.toThrow('the answer is larger than 999 bytes')
    await expect(refused).rejects.toBeInstanceOf(AnswerTooLarge)
  })

  it.each([
    ['that never begins', () => undefined],
    ['that stops in the middle', (_, response) => response.write('half')],
  ] satisfies [string, RequestListener][])(
    'ends an answer %s at its time limit',
    async (_, listener) => {
      const url = urlOf(await serve(listener))
      const started = performance.now()
      const late = httpRequest(url, { timeoutMs: 200 })
      await expect(late).rejects.toMatchObject({ name: 'TimeoutError' })
      await expect(late).rejects.toThrow('it did not answer in time')
      expect(performance.now() - started).toBeLessThan(5000)
    },
  )

  it('ends with the reason of its signal, before and during the request', async () => {
    const url = urlOf(await serve(() => undefined))
    const stop = new AbortController()
    const running = httpRequest(url, { signal: stop.signal })
    const reason = new Error('the run was cancelled')
    setTimeout(() => stop.abort(reason), 50)
    await expect(running).rejects.toBe(reason)
    await expect(httpRequest(url, { signal: stop.signal })).rejects.toBe(reason)
  })

  it('says in plain words why there was no answer', async () => {
    const gone = await serve(() => undefined)
    const url = urlOf(gone)
    await new Promise((resolve) => gone.close(resolve))
    expect(await probeHealth(url)).toBe('nothing listens at its address')
    expect(await probeHealth(urlOf(await serve(({ socket }) => socket.destroy())))).toBe(
      'it closed the connection',
    )
    expect(await probeHealth(urlOf(await serve(() => undefined)), {}, { timeoutMs: 100 })).toBe(
      'it did not answer in time',
    )
    expect(networkReason(new TypeError('fetch failed', { cause: new Error('bad port') }))).toBe(
      'bad port',
    )
  })
})

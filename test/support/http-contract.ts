import { connect, type NetConnectOpts } from 'node:net'

/**
 * Sends bytes, and gives all that came back until the server ended the connection.
 * @param options `every`: sent again each second; `silentMs`: longest silence of the server
 */
export function exchange(
  target: NetConnectOpts,
  bytes: string,
  { every = '', silentMs = 20_000 }: { every?: string; silentMs?: number } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    const socket = connect(target, () => socket.write(bytes))
    const repeat = setInterval(() => socket.write(every), 1000)
    socket.on('close', () => clearInterval(repeat))
    socket.setTimeout(silentMs, () =>
      socket.destroy(new Error(`silent after ${JSON.stringify(said)}`)),
    )
    socket.on('data', (data) => {
      said += data.toString()
    })
    socket.on('error', reject)
    socket.on('end', () => {
      socket.end()
      resolve(said)
    })
  })
}

/** The statuses of the answers in it, in their order. */
export const statusesOf = (said: string): number[] =>
  [...said.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))

/**
 * What no server of HQ serves, and the statuses it answers with before it ends the connection.
 * @param host the value of a right Host header
 */
export const httpContract = (host: string): [name: string, bytes: string, statuses: number[]][] => {
  const get = (...headers: string[]): string =>
    ['GET /health HTTP/1.1', ...headers, '', ''].join('\r\n')
  const last = 'Connection: close'
  return [
    ['two Host headers', get(`Host: ${host}`, `Host: ${host}`, last), [400]],
    ['two Host headers that differ', get(`Host: ${host}`, 'hOST: evil.example', last), [400]],
    ['no Host header', get(last), [400]],
    ['no Host header in HTTP/1.0', 'GET /health HTTP/1.0\r\n\r\n', [400]],
    ['TRACE', `TRACE /health HTTP/1.1\r\nHost: ${host}\r\n${last}\r\n\r\n`, [400]],
    ['CONNECT', `CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`, [400]],
    [
      'CONNECT of another host',
      'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n',
      [400],
    ],
    [
      'a method that no route has',
      `PROPFIND / HTTP/1.1\r\nHost: ${host}\r\n${last}\r\n\r\n`,
      [400],
    ],
    ['bytes that are no request', '\x16\x03\x01\x02\x00\x01\r\n\r\n', [400]],
    [
      'two lengths of a body',
      `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      [400],
    ],
    ['a header of 20 kB', get(`Host: ${host}`, `X: ${'x'.repeat(20_000)}`), [400]],
    ['junk behind a request', `${get(`Host: ${host}`)}\x00junk\r\n\r\n`, [200, 400]],
    ['junk behind two requests', `${get(`Host: ${host}`).repeat(2)}GET\r\n\r\n`, [200, 200, 400]],
    [
      'CONNECT behind a request',
      `${get(`Host: ${host}`)}CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
      [200, 400],
    ],
  ]
}

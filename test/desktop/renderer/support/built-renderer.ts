import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize, resolve } from 'node:path'

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
}

/** Path of a page with nothing in it, beside HQ: there a page of a browser rests between two tests. */
export const emptyPage = 'empty'

export interface BuiltRenderer {
  readonly url: string
  close(): Promise<void>
}

/** Answers a request itself and says true, or leaves it to the files. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => boolean

/** Serves the renderer as it ships, which the test run has built, on loopback. */
export async function serveBuilt(answer?: Answer): Promise<BuiltRenderer> {
  return await serveRenderer(resolve('out/renderer'), answer)
}

/** Serves the files of a built renderer on loopback. */
export async function serveRenderer(
  folder: string,
  answer: Answer = () => false,
): Promise<BuiltRenderer> {
  const server: Server = createServer((request, response) => {
    if (answer(request, response)) return undefined
    const path = normalize(new URL(request.url ?? '/', 'http://x').pathname)
    if (path === `/${emptyPage}`)
      return void response.writeHead(200, { 'content-type': types['.html'] }).end()
    const file = join(folder, path === '/' ? 'index.html' : path)
    return void readFile(file).then(
      (body) =>
        response
          .writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream' })
          .end(body),
      () => response.writeHead(404).end(),
    )
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    },
  }
}

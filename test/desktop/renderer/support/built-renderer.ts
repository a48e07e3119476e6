import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { extname, join, normalize } from 'node:path'
import { build } from 'vite'
import { rendererConfig } from '../../../../desktop/renderer/vite.config.ts'

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
}

export interface BuiltRenderer {
  readonly url: string
  close(): Promise<void>
}

/** Answers a request itself and says true, or leaves it to the files. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => boolean

/** Builds the renderer as it ships, into a folder of its own, and serves it on loopback. */
export async function buildAndServe(answer: Answer = () => false): Promise<BuiltRenderer> {
  const folder = await mkdtemp(join(tmpdir(), 'hq-renderer-'))
  // The test runner says NODE_ENV=test, and React would be built as for development: slower, and with effects run twice.
  const before = process.env['NODE_ENV']
  process.env['NODE_ENV'] = 'production'
  await build({
    ...rendererConfig,
    configFile: false,
    logLevel: 'error',
    build: { ...rendererConfig.build, outDir: folder },
  }).finally(() => {
    process.env['NODE_ENV'] = before
  })
  const server: Server = createServer((request, response) => {
    if (answer(request, response)) return
    const path = normalize(new URL(request.url ?? '/', 'http://x').pathname)
    const file = join(folder, path === '/' ? 'index.html' : path)
    readFile(file).then(
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
      await rm(folder, { recursive: true, force: true })
    },
  }
}

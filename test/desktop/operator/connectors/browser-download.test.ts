import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sweepTemporary } from '#ops/base/process/temporary-folder'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { webPeer, type WebPeer } from '../../../support/connector-peers.ts'
import { kajabiSite, type KajabiSite } from '../../../support/kajabi-site.ts'
import { signInBench, xvfb, type SignInBench } from '../../../support/sign-in-bench.ts'
import { storedZip } from '../../../support/stored-zip.ts'

const linux = process.platform === 'linux' && process.arch === 'x64' && xvfb !== undefined

describe.skipIf(!linux)('a laptop without a browser (needs Xvfb)', () => {
  let dir: string
  let site: KajabiSite
  let bench: SignInBench
  let server: WebPeer
  let child: ChildProcess | null = null
  beforeEach(async () => {
    dir = realpathSync(mkdtempSync(join(tmpdir(), 'browser-download-')))
    mkdirSync(join(dir, 'no-programs'))
    site = await kajabiSite()
    bench = await signInBench(site)
    server = await webPeer((_request, answer) => answer.writeHead(404).end())
  })
  afterEach(async () => {
    child?.kill('SIGKILL')
    if (child?.exitCode === null && child.signalCode === null) await once(child, 'exit')
    await server.close()
    await bench.remove()
    await site.close()
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
    sweepTemporary()
  })

  /** @returns waits for a message of HQ: what its step says, or the class that ended it */
  function start(): (wanted: RegExp) => Promise<void> {
    const { OPENCLAW_CHROMIUM: _browser, ...env } = bench.env
    const started = spawn(
      process.execPath,
      [join(import.meta.dirname, 'sign-in-child.ts'), site.url],
      {
        env: {
          ...env,
          TMPDIR: tmpdir(),
          PATH: join(dir, 'no-programs'),
          OPENCLAW_HQ_INSTALL: process.cwd(),
          PLAYWRIGHT_BROWSERS_PATH: join(dir, 'browsers'),
          PLAYWRIGHT_DOWNLOAD_HOST: server.url,
        },
        stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      },
    )
    child = started
    const said: string[] = []
    return async (wanted) => {
      for (let text = ''; !wanted.test(text);) {
        text = String((await once(started, 'message'))[0])
        said.push(text)
      }
    }
  }

  it('downloads one, says how far it is, and opens it', async () => {
    const script = `#!/bin/sh\nPATH=/usr/bin:/bin\nexec '${bench.env['OPENCLAW_CHROMIUM']}' "$@"\n`
    const content = Buffer.concat([
      Buffer.from(`${script}exit\n`),
      Buffer.alloc(5 * 1024 * 1024, '#'),
    ])
    const zip = storedZip('chrome-linux64/chrome', content)
    const rest = Promise.withResolvers<void>()
    // Playwright takes its recorder along, which HQ has no use for.
    const recorder = storedZip('ffmpeg-linux', Buffer.from('#'))
    server.answer = (request, response) => {
      if (request.url?.includes('ffmpeg')) return response.end(recorder)
      response.writeHead(200, { 'content-length': zip.length })
      response.write(zip.subarray(0, 3 * 1024 * 1024))
      void rest.promise.then(() => response.end(zip.subarray(3 * 1024 * 1024)))
      return response
    }
    const hears = start()
    await hears(/^HQ downloads a browser: 3 MiB so far$/)
    rest.resolve()
    await hears(/^Chromium \d+/)
    expect((await bench.window()).url()).toBe(`${site.url}/login`)
  })

  it('says that none could be had', async () => {
    await start()(/^browser_missing$/)
  })
})

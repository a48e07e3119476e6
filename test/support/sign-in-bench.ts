import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import getPort from 'get-port'
import { chromium, type Browser, type Page } from 'playwright'
import { browserPath, pageMs } from './browser.ts'
import type { KajabiSite } from './kajabi-site.ts'
import { until } from './operator-bench.ts'

/** Program that gives tests a screen; without it no window can be shown. */
export const xvfb = ['/usr/bin/Xvfb', '/usr/local/bin/Xvfb'].find((path) => existsSync(path))

/** A screen, a browser that trusts the sites of the test, and the person who sits before them. */
export interface SignInBench {
  /** Environment of HQ: its screen, its browser. */
  readonly env: Readonly<Record<string, string>>
  /** Arguments that HQ gave its browser last. */
  argv(): readonly string[]
  /** Process of that browser. */
  pid(): number
  /** The window that HQ opened, as the person uses it. */
  window(): Promise<Page>
  /** What is running of the browser ends at once. */
  crash(): void
  remove(): Promise<void>
}

export async function signInBench(site: KajabiSite): Promise<SignInBench> {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'sign-in-test-')))
  const program = browserPath() ?? chromium.executablePath()
  const port = await getPort()
  const quoted = site.switches.map((each) => `'${each}'`).join(' ')
  const [argv, pid, wrapper] = [join(dir, 'argv'), join(dir, 'pid'), join(dir, 'chromium')]
  writeFileSync(
    wrapper,
    `#!/bin/sh
printf '%s\\n' "$@" > '${argv}'
echo $$ > '${pid}'
exec '${program}' ${quoted} --remote-debugging-port=${port} "$@"
`,
    { mode: 0o755 },
  )
  const { server, display } = await screen()
  const people: Browser[] = []
  const pidNow = (): number => Number(readFileSync(pid, 'utf8'))
  return {
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: dir,
      DISPLAY: display,
      OPENCLAW_CHROMIUM: wrapper,
    },
    argv: () => readFileSync(argv, 'utf8').trim().split('\n'),
    pid: pidNow,
    window: async () => {
      const person = await until('the browser of HQ answers', () =>
        chromium.connectOverCDP(`http://127.0.0.1:${port}`).catch(() => null),
      )
      people.push(person)
      return await until('HQ has opened a window', () =>
        person
          .contexts()
          .flatMap((context) => context.pages())
          .find((page) => /^https?:/.test(page.url())),
      )
    },
    crash: () => process.kill(pidNow(), 'SIGKILL'),
    remove: async () => {
      for (const person of people) await person.close()
      server.kill()
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** A screen without a person before it. */
export async function screen(): Promise<{ server: ChildProcess; display: string }> {
  const server = spawn(
    xvfb ?? 'Xvfb',
    ['-displayfd', '3', '-screen', '0', '1280x800x24', '-nolisten', 'tcp'],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] },
  )
  // Number and line end come in two writes; a reader that is gone after the first one ends the server.
  for await (const line of createInterface(server.stdio[3] as Readable))
    return { server, display: `:${line}` }
  throw new Error('Xvfb ended without a display')
}

/** Types name and password. */
export async function enterPassword(page: Page, { person }: KajabiSite): Promise<void> {
  page.setDefaultTimeout(pageMs)
  await page.fill('input[name=email]', person.email)
  await page.fill('input[name=password]', person.password)
  await page.click('button')
}

/** Types the code of the second factor. */
export async function enterCode(page: Page, code: string): Promise<void> {
  await page.fill('input[name=code]', code)
  await page.click('button')
}

import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Browser, Page } from 'playwright'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { BundleVerification } from '#shared/proof'
import { launchBrowser, pageMs, shown } from '../../support/browser.ts'
import { serveBuilt, type BuiltRenderer } from './support/built-renderer.ts'
import { idAt } from './support/documents.ts'
import { line, numbered, run, status, type Scene } from './support/scenes.ts'
import { done } from './support/deploy-stories.ts'

const secret = 'c0ffee00'.repeat(8)
const token = 'the-admin-token'
const runId = idAt(50, 'abcd0123')
const events = numbered(Array.from({ length: 40 }, (_, at) => line(`line ${at + 1}`)))

let mode: 'serve' | 'console' = 'serve'
let story: Scene
let seen: { path: string; headers: IncomingMessage['headers'] }[] = []
let refuse = false
/** The action that holds the lane, in the console's stories. */
let active: 'doctor' | 'deploy_and_verify' = 'doctor'
let built: BuiltRenderer
let browser: Browser
let page: Page

const json = (response: ServerResponse, code: number, body: unknown): void => {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
const forbidden = {
  ok: false,
  error_class: 'forbidden',
  detail: 'The token is not the one of this host.',
  next_auto_fix: 'enrol_host',
}

/** What the host says of its bundles. */
let sealed: BundleVerification[] = []

/** Plays `hq serve` or the console with hostd behind it. Streams are cut once, half way. */
function answer(request: IncomingMessage, response: ServerResponse): boolean {
  const path = new URL(request.url ?? '/', 'http://x').pathname
  if (path === '/openclaw-mode.json') {
    json(response, 200, { mode })
    return true
  }
  if (!path.startsWith('/bridge/') && !path.startsWith('/api/')) return false
  seen.push({ path, headers: request.headers })
  let body = ''
  request.on('data', (chunk: Buffer) => {
    body += chunk.toString()
  })
  request.on('end', () => {
    if (path.startsWith('/bridge/call/'))
      return request.headers['x-openclaw-hq-secret'] === secret
        ? bridgeCall(path.slice('/bridge/call/'.length), response)
        : json(response, 403, {})
    if (path === '/bridge/events')
      return stream(
        response,
        (JSON.parse(body) as { after: number }).after,
        (batch) => `data: ${JSON.stringify(batch)}\n\n`,
        'event: end\ndata: null\n\n',
      )
    if (refuse || request.headers['x-openclaw-admin-token'] !== token)
      return json(response, 403, forbidden)
    if (path === '/api/status')
      return json(response, 200, {
        ...status(),
        last_ship: {
          ok: false,
          run_id: null,
          overall: null,
          result: null,
          artifact_dir: null,
          verification: null,
        },
      })
    if (path === '/api/exec')
      return json(response, 409, {
        ok: false,
        error_class: 'ALREADY_RUNNING',
        detail: 'doctor is running',
        next_auto_fix: 'join_active_run',
        action: active,
        active_run_id: runId,
        started_at: new Date().toISOString(),
      })
    if (path === `/api/runs/${runId}/events`)
      return stream(
        response,
        Number(request.headers['last-event-id'] ?? 0),
        (batch) =>
          batch.map((event) => `id: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`).join(''),
        'event: end\ndata: {"status":"passed"}\n\n',
      )
    if (path === '/api/proof/bundles')
      return json(response, 200, { ok: true, bundles: sealed, next_cursor: null })
    if (path === '/api/proof/export')
      return json(response, 200, { ok: true, text: 'a statement\nthe keys\n', statements: [] })
    if (path.startsWith('/api/artifacts/')) return artifact(path, response)
    if (path === '/api/runs')
      return json(response, 200, {
        ok: true,
        run: { ...run({ run_id: runId, action: active, lane: 'doctor' }), result: null },
      })
    return json(response, 404, {
      ok: false,
      error_class: 'not_found',
      detail: 'no such thing',
      next_auto_fix: 'start_again',
    })
  })
  return true
}
/** One folder of a deploy with one log, as hostd answers. */
function artifact(path: string, response: ServerResponse): void {
  const folder = `deploy/${runId}`
  response.setHeader('x-openclaw-artifact', path.endsWith('.log') ? 'file' : 'directory')
  if (path.endsWith('.log')) return void response.writeHead(200).end('\u001b[32mbuilt\u001b[0m\n')
  json(response, 200, {
    ok: true,
    path: folder,
    entries: [{ name: 'build.log', type: 'file', size: 15 }],
  })
}
const bridgeCall = (name: string, response: ServerResponse): void =>
  json(
    response,
    200,
    story.answers[name] === undefined
      ? {
          ok: false,
          problem: { error_class: 'not_found', message: name, next_auto_fix: 'start_again' },
        }
      : { ok: true, value: story.answers[name] },
  )
function stream(
  response: ServerResponse,
  after: number,
  say: (batch: typeof events) => string,
  end: string,
): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  if (after >= 17) return void response.end(say(events.slice(after)) + end)
  response.end(say(events.slice(after, 17))) // without the closing message: the reader must come again
}

beforeAll(async () => {
  ;[built, browser] = await Promise.all([serveBuilt(answer), launchBrowser()])
})
afterAll(async () => {
  await browser.close()
  await built.close()
})
beforeEach(async () => {
  story = done()
  story.answers['app.info'] = { ...(story.answers['app.info'] as object), mode: 'serve' }
  story.answers['host.run'] = {
    ok: true,
    run: { ...run({ run_id: runId, action: 'doctor', lane: 'doctor' }), result: null },
  }
  seen = []
  refuse = false
  sealed = []
  active = 'doctor'
  page = await (await browser.newContext()).newPage()
  page.setDefaultTimeout(pageMs)
})
afterEach(async () => {
  await page.context().close()
})

describe('over hq serve', () => {
  test('the secret leaves the address at once, goes with every call, and a reload still works', async () => {
    mode = 'serve'
    await page.goto(`${built.url}#secret=${secret}`)
    await shown(page.getByRole('heading', { level: 1 })).toHaveText(
      '4c1e9b7e02f1 is DONE, with proof',
    )
    expect(page.url()).toBe(`${built.url}#/`)
    await page.reload()
    await shown(page.getByRole('heading', { level: 1 })).toHaveText(
      '4c1e9b7e02f1 is DONE, with proof',
    )
    expect(seen.length).toBeGreaterThan(2)
    expect(seen.every(({ headers }) => headers['x-openclaw-hq-secret'] === secret)).toBe(true)
    expect(
      seen.some(
        ({ path, headers }) => path.includes(secret) || (headers.referer ?? '').includes(secret),
      ),
    ).toBe(false)
  })

  test('without the secret it says so and requests nothing', async () => {
    mode = 'serve'
    await page.goto(built.url)
    await shown(page.getByRole('heading', { level: 1 })).toHaveText('This tab has no key')
    expect(seen).toEqual([])
  })

  test('U11 a link opened in another tab has the secret; a tab of another window has not', async () => {
    mode = 'serve'
    await page.goto(`${built.url}#secret=${secret}`)
    const link = page.getByRole('link', { name: 'Deploy', exact: true })
    const [other] = await Promise.all([
      page.context().waitForEvent('page'),
      link.click({ modifiers: ['Control'] }),
    ])
    await shown(other).toHaveURL(/#\/deploy$/)
    await shown(other.getByRole('navigation', { name: 'Main' })).toBeVisible()
    await shown(other).toHaveTitle('Deploy · OpenClaw HQ')
    expect(page.url()).toBe(`${built.url}#/`)
    // The first tab may be closed: the second has the secret for itself, and gives it on.
    await page.close()
    const third = await other.context().newPage()
    await third.goto(`${built.url}#/runs`)
    await shown(third.getByRole('navigation', { name: 'Main' })).toBeVisible()
    const stranger = await browser.newContext()
    const alone = await stranger.newPage()
    await alone.goto(`${built.url}#/deploy`)
    await shown(alone.getByRole('heading', { level: 1 })).toHaveText('This tab has no key')
    await stranger.close()
    page = third
  })

  test('a log that is cut goes on where it stopped', async () => {
    mode = 'serve'
    await page.goto(`${built.url}#secret=${secret}`)
    await page.getByRole('navigation', { name: 'Main' }).waitFor()
    await page.goto(`${built.url}#/runs/${runId}`)
    const log = page.getByRole('region', { name: 'Log', exact: true })
    await shown(log.getByText('40 lines')).toBeVisible()
    await shown(log.getByText('No gaps')).toBeVisible()
    await shown(page.locator('[data-number="40"]')).toContainText('line 40')
    expect(seen.filter(({ path }) => path === '/bridge/events')).toHaveLength(2)
  })
})

describe('in the console', () => {
  const signIn = async (typed: string): Promise<void> => {
    await page.getByLabel('Admin token').fill(typed)
    await page.getByRole('button', { name: 'Open console' }).click()
  }

  test('a wrong token is refused with a message; the right one opens it, and is stored nowhere', async () => {
    mode = 'console'
    await page.goto(built.url)
    await signIn('wrong')
    await shown(page.getByRole('alert')).toContainText('forbidden')
    await signIn(token)
    await shown(page.getByRole('list', { name: 'Definition of Done, six gates' })).toBeVisible()
    await shown(page.getByRole('link', { name: 'Settings' })).toHaveCount(0)
    await shown(page.getByRole('button', { name: /^Ship/ })).toHaveCount(0)
    expect(
      await page.evaluate<string>(
        'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href])',
      ),
    ).not.toContain(token)
    await page.reload()
    await shown(page.getByLabel('Admin token')).toBeVisible()
  })

  test('files of a proof open from the host; those of the laptop say where they are', async () => {
    mode = 'console'
    await page.goto(`${built.url}#/proofs/host/deploy/${runId}`)
    await signIn(token)
    const file = page.getByRole('region', { name: 'build.log' })
    await shown(file.locator('[data-line="1"] [class*=ansi-green]')).toHaveText('built')
    await page.goto(`${built.url}#/proofs/laptop/ship/${runId}/verdict.json`)
    await shown(page.getByRole('alert').first()).toContainText('only in HQ on the laptop')
  })

  test('a verified proof is exported by the host, into a file named after its run', async () => {
    mode = 'console'
    sealed = [
      {
        kind: 'deploy',
        run_id: runId,
        state: 'verified',
        problems: [],
        files: 1,
        pruned: 0,
        chain: '1'.repeat(16),
        counter: 4,
        key_id: 'a'.repeat(32),
        previous: null,
        manifest_sha256: 'b'.repeat(64),
        created_at: new Date().toISOString(),
      },
    ]
    await page.goto(`${built.url}#/proofs/host/deploy/${runId}`)
    await signIn(token)
    const [saved] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export', exact: true }).click(),
    ])
    expect(saved.suggestedFilename()).toBe(`${runId}.intoto.jsonl`)
    expect(readFileSync(await saved.path(), 'utf8')).toBe('a statement\nthe keys\n')
  })

  test('a busy lane is joined: the button leads to the run that is active, and its log resumes', async () => {
    mode = 'console'
    await page.goto(`${built.url}#/doctor`)
    await signIn(token)
    await page.getByRole('button', { name: 'Run doctor' }).click()
    await shown(page).toHaveURL(new RegExp(`#/runs/${runId}$`))
    await shown(
      page.getByRole('region', { name: 'Log', exact: true }).getByText('40 lines'),
    ).toBeVisible()
    expect(
      seen
        .filter(({ path }) => path.endsWith('/events'))
        .map(({ headers }) => headers['last-event-id']),
    ).toEqual([undefined, '17'])
  })

  test('a lane that another action holds is refused with a message: nothing joins, the page stays', async () => {
    mode = 'console'
    active = 'deploy_and_verify'
    await page.goto(`${built.url}#/doctor`)
    await signIn(token)
    await page.getByRole('button', { name: 'Run doctor' }).click()
    await shown(page.getByText(`Deploy+Verify (${runId}) is running, started by`)).toBeVisible()
    await shown(page.getByText('so Doctor was not started.')).toBeVisible()
    expect(page.url()).toMatch(/#\/doctor$/)
  })

  test('a token that the host no longer accepts leads back to the sign-in', async () => {
    mode = 'console'
    await page.goto(built.url)
    await signIn(token)
    await shown(page.getByRole('list', { name: 'Definition of Done, six gates' })).toBeVisible()
    refuse = true
    await shown(
      page.getByText('The host no longer accepts the token that it accepted before.'),
    ).toBeVisible()
  })
})

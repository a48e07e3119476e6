import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Locator, Page } from 'playwright'
import { describe, expect, test } from 'vitest'
import { shown } from '../../support/browser.ts'
import { attempt, connectorsScene, hostOf, report } from './support/connector-scenes.ts'
import { connectorStories, connectorStory } from './support/connector-stories.ts'
import { leave, rendererInBrowser } from './support/pages.ts'
import { callsOf, change } from './support/scripted-transport.ts'
import { info, type Scene } from './support/scenes.ts'
import { tokenForm, tokenStories } from './support/token-stories.ts'

const hq = rendererInBrowser()

const openAt = async (
  scene: Scene,
  view: { width?: number } = {},
): Promise<{ page: Page; complaints: string[]; card: (title: string) => Locator }> => {
  const opened = await hq.open(scene, { path: '/connectors', ...view })
  return {
    ...opened,
    card: (title) => opened.page.getByRole('region', { name: title, exact: true }),
  }
}
/** What HQ answers from now on, read again at once. */
async function show(page: Page, scene: Scene): Promise<void> {
  await change(page, scene)
  await page.evaluate('window.dispatchEvent(new Event("visibilitychange"))')
}
/** Drags a file from outside onto the element and drops it. */
async function drop(onto: Locator, file: string): Promise<void> {
  const page = onto.page()
  const { x, y, width, height } = (await onto.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 }
  const input = await page.context().newCDPSession(page)
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
    await input.send('Input.dispatchDragEvent', {
      type,
      x: x + width / 2,
      y: y + height / 2,
      data: { items: [], files: [file], dragOperationsMask: 1 },
    })
}
const requests = async (page: Page): Promise<unknown[]> =>
  (await callsOf(page))
    .filter(({ name }) => name.startsWith('connectors.') && name !== 'connectors.get')
    .map(({ name, input }) => [name, input])

/** Story → the line from the connectors to Phase 0, and the one filled button of the page. */
const expected: Readonly<Record<string, readonly [string, string, string, string | null]>> = {
  'never checked': ['Kajabi not checked', 'Gmail not checked', 'Phase 0 blocked', 'Check now'],
  'nothing connected': [
    'Kajabi not connected',
    'Gmail not connected',
    'Phase 0 blocked',
    'Connect Kajabi',
  ],
  'a window is open, and a token is sent': [
    'Kajabi needs you',
    'Gmail connecting',
    'Phase 0 blocked',
    'Bring window to front',
  ],
  'a device code waits': ['Kajabi ready', 'Gmail needs you', 'Phase 0 blocked', 'Copy the code'],
  'a browser waits for consent': [
    'Kajabi ready',
    'Gmail needs you',
    'Phase 0 blocked',
    'Copy the address',
  ],
  'an attempt failed, another was cancelled': [
    'Kajabi not connected',
    'Gmail not connected',
    'Phase 0 blocked',
    'Try again',
  ],
  'a device code is refused': [
    'Kajabi connecting',
    'Gmail not connected',
    'Phase 0 blocked',
    'Connect by Desktop',
  ],
  'just connected': ['Kajabi ready', 'Gmail ready', 'Phase 0 not run yet', 'Run Phase 0'],
  'refused and expired': ['Kajabi expired', 'Gmail invalid', 'Phase 0 blocked', 'Reconnect Kajabi'],
  'one unreachable, one ends soon': [
    'Kajabi expires in 3 days',
    'Gmail unreachable',
    'Phase 0 blocked',
    'Check again',
  ],
  'a new secret to prove': ['Kajabi ready', 'Gmail not connected', 'Phase 0 blocked', 'Prove it'],
  'all ready': ['Kajabi ready', 'Gmail ready', 'Phase 0 not run yet', 'Run Phase 0'],
  'Phase 0 passed': ['Kajabi ready', 'Gmail ready', 'Phase 0 pass', null],
  'Phase 0 failed': ['Kajabi ready', 'Gmail ready', 'Phase 0 to run again', 'Run Phase 0'],
  'a check runs': ['Kajabi ready', 'Gmail ready', 'Phase 0 not run yet', 'Run Phase 0'],
  'Phase 0 runs': ['Kajabi ready', 'Gmail ready', 'Phase 0 running', null],
  'the host is away': ['Kajabi ready', 'Gmail ready', 'Phase 0 pass', null],
  'no host is enrolled': [
    'Kajabi not checked',
    'Gmail not checked',
    'Phase 0 blocked',
    'Open Settings',
  ],
}

describe('the Connectors page', () => {
  test('says in each state where both stand, offers one thing to do, and fits a narrow window', async () => {
    expect(Object.keys(expected)).toEqual(Object.keys(connectorStories))
    const { page, complaints, card } = await openAt(connectorStory('never checked'), { width: 420 })
    const steps = page.getByRole('list', { name: 'From the connectors to Phase 0' })
    for (const [name, [kajabi, gmail, phase0, filled]] of Object.entries(expected)) {
      await show(page, connectorStory(name))
      await shown(steps.getByRole('listitem'), name).toContainText([kajabi, gmail, phase0])
      await shown(page.locator('.button-main'), name).toHaveText(filled === null ? [] : [filled])
      for (const title of ['Kajabi', 'Gmail'])
        await shown(card(title).getByRole('button').first(), name).toBeVisible()
      const wider = `(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector('main'))`
      expect(await page.evaluate(wider), name).toBeLessThanOrEqual(0)
    }
    expect(complaints).toEqual([])
    await leave(page)
  })

  test('starts an attempt with what the form holds, and keeps no secret in the page', async () => {
    const { page, complaints, card } = await openAt(connectorStory('nothing connected'))
    const gmail = card('Gmail')
    await gmail.getByRole('tab', { name: 'App password' }).click()
    const submit = gmail.getByRole('button', { name: /^Connect Gmail/ })
    await shown(submit).toHaveText('Connect Gmail: address and app password first')
    await submit.press('Enter')
    await gmail.getByLabel('Address').fill('operator@example.com')
    const password = gmail.getByLabel('App password', { exact: true }).and(page.locator('input'))
    await shown(password).toHaveAttribute('type', 'password')
    await password.fill('abcd efgh ijkl mnop')
    await gmail.getByRole('tab', { name: 'Desktop' }).click()
    await gmail.getByRole('tab', { name: 'App password' }).click()
    await shown(password).toHaveValue('abcd efgh ijkl mnop')
    await password.press('Enter')
    await expect
      .poll(() => requests(page))
      .toEqual([
        [
          'connectors.connect',
          {
            name: 'gmail',
            mode: 'imap',
            fields: { user: 'operator@example.com', password: 'abcd efgh ijkl mnop' },
          },
        ],
      ])
    await shown(password).toHaveValue('')
    expect(await page.content()).not.toContain('abcd efgh')
    expect(complaints).toEqual([])
    await leave(page)
  })

  test('warns of a way that cannot work, and shows the scope before asking', async () => {
    const { page, card } = await openAt(connectorStory('nothing connected'))
    const gmail = card('Gmail')
    await shown(gmail).toContainText('https://www.googleapis.com/auth/gmail.readonly')
    await gmail.getByRole('tab', { name: 'Desktop' }).press('ArrowRight')
    await shown(gmail.getByRole('tabpanel')).toContainText('invalid_scope')
    await leave(page)
  })

  test('takes a client file that is chosen or dropped, and refuses one that is too large', async () => {
    const { page, card } = await openAt(connectorStory('nothing connected'))
    const gmail = card('Gmail')
    const choose = async (name: string, text: string): Promise<void> => {
      const [chooser] = await Promise.all([
        page.waitForEvent('filechooser'),
        gmail.getByRole('button', { name: 'Choose or drop a file' }).click(),
      ])
      await chooser.setFiles({ name, mimeType: 'application/json', buffer: Buffer.from(text) })
    }
    // HQ has none from before.
    await shown(gmail.getByRole('button', { name: /^Connect Gmail/ })).toHaveText(
      'Connect Gmail: client file first',
    )
    await choose('huge.json', 'x'.repeat(70_000))
    await shown(gmail.getByRole('alert')).toContainText('huge.json has more than 64 KiB')
    await choose('web.json', '{"web":{}}')
    await shown(gmail.getByRole('alert')).toContainText('a client of the type "Web application"')
    await choose('page.html', '<html>')
    await shown(gmail.getByRole('alert')).toHaveText('The client file is not JSON.')
    const client = '{"installed":{"client_id":"1.apps.googleusercontent.com"}}'
    const folder = await mkdtemp(join(tmpdir(), 'hq-drop-'))
    const file = join(folder, 'dropped.json')
    await writeFile(file, client)
    await drop(gmail.getByText('gmail_client.json, as Google offers it'), file)
    await shown(gmail.getByText('dropped.json')).toBeVisible()
    await shown(gmail.getByRole('alert')).toHaveCount(0)
    await gmail.getByRole('button', { name: 'Connect Gmail' }).click()
    await expect
      .poll(() => requests(page))
      .toEqual([
        ['connectors.connect', { name: 'gmail', mode: 'oauth_desktop', fields: { client } }],
      ])
    await rm(folder, { recursive: true })
    await leave(page)
  })

  test('offers a connector that the host does without, with a form that begins with its settings', async () => {
    const { page, complaints, card } = await openAt(tokenStories.unused)
    const token = card('HTTP token')
    await shown(token.getByRole('button')).toHaveText(['Connect'])
    await shown(page.locator('.button-main')).toHaveText(['Run Phase 0'])
    await shown(page.getByRole('region', { name: 'History of checks' })).not.toContainText('token')
    await token.getByRole('button', { name: 'Connect HTTP token' }).click()
    await shown(token.getByLabel('Header')).toHaveValue('X-Api-Key')
    await token.getByLabel('Address').fill(tokenForm.url)
    await token.getByRole('textbox', { name: 'Token', exact: true }).fill(tokenForm.access_token)
    await token.getByRole('button', { name: 'Connect HTTP token' }).click()
    await expect
      .poll(() => requests(page))
      .toEqual([['connectors.connect', { name: 'http_token', mode: 'header', fields: tokenForm }]])
    expect(await page.content()).not.toContain(tokenForm.access_token)
    for (const story of [tokenStories.refused, tokenStories.unused, tokenStories.ready]) {
      await show(page, story)
      if (story === tokenStories.refused)
        await token.getByRole('button', { name: 'Try again' }).click()
      if (story === tokenStories.unused)
        await shown(token.getByLabel('Address')).toHaveValue(tokenForm.url)
    }
    await token.getByRole('button', { name: 'Disconnect HTTP token' }).click()
    await shown(page.getByRole('alertdialog')).toContainText(
      'stays valid until you withdraw it at the service. The host does without it then.',
    )
    expect(complaints).toEqual([])
    await leave(page)
  })

  test('brings the window to the front, and cancels', async () => {
    const { page, card } = await openAt(connectorStory('a window is open, and a token is sent'))
    const kajabi = card('Kajabi')
    await shown(kajabi.getByRole('timer')).toHaveText(/^\d:\d\d left$/)
    await shown(kajabi.getByRole('listitem').nth(1)).toContainText('needs you')
    await kajabi.getByRole('button', { name: 'Bring window to front' }).click()
    await kajabi.getByRole('button', { name: 'Cancel connecting Kajabi' }).click()
    await expect
      .poll(() => requests(page))
      .toEqual([
        ['connectors.show_window', { name: 'kajabi' }],
        ['connectors.cancel', { name: 'kajabi' }],
      ])
    await leave(page)
  })

  test('follows an attempt each second until it has ended', async () => {
    const host = hostOf(report('kajabi', 'not_configured'), report('gmail', 'not_configured'))
    const scene = connectorsScene({ host, flows: [attempt('kajabi', { step: 'send' })] })
    const { page, card } = await openAt(scene)
    await shown(card('Kajabi').getByRole('list')).toContainText('Send it to the host, running')
    const ended = connectorStory('just connected').answers['connectors.get']
    await change(page, { answers: { 'connectors.get': ended } })
    await shown(card('Kajabi')).toContainText('The host proved that the service accepts it.')
    await leave(page)
  })

  test('says why an attempt failed and what ends it; it can be tried again or dismissed', async () => {
    const { page, card } = await openAt(connectorStory('an attempt failed, another was cancelled'))
    const kajabi = card('Kajabi')
    await shown(kajabi.getByRole('status')).toContainText('connector_refused')
    await shown(kajabi.getByRole('status')).toContainText('The secret on the host is unchanged.')
    await kajabi.getByRole('button', { name: 'Try again' }).click()
    await card('Gmail').getByRole('button', { name: 'Dismiss' }).click()
    await expect
      .poll(() => requests(page))
      .toEqual([
        ['connectors.dismiss', { name: 'kajabi' }],
        ['connectors.connect', { name: 'kajabi', mode: 'storage_state' }],
        ['connectors.dismiss', { name: 'gmail' }],
      ])
    await leave(page)
  })

  test('leads from a device code that is refused to the way that works', async () => {
    const { page, card } = await openAt(connectorStory('a device code is refused'))
    await shown(card('Kajabi').getByRole('list')).toContainText('43 of 128 MB')
    await shown(card('Kajabi')).toContainText('There is nothing to do now.')
    await card('Gmail').getByRole('button', { name: 'Connect by Desktop' }).click()
    await expect.poll(() => requests(page)).toEqual([['connectors.dismiss', { name: 'gmail' }]])
    await change(page, connectorStory('nothing connected'))
    const desktop = { name: 'Desktop', selected: true }
    await shown(card('Gmail').getByRole('tab', desktop)).toBeVisible()
    await page.context().close()
  })

  test('disconnects after a question that says what is deleted where', async () => {
    const { page, card } = await openAt(connectorStory('all ready'))
    await card('Gmail').getByRole('button', { name: 'Disconnect Gmail' }).click()
    const question = page.getByRole('alertdialog')
    await shown(question).toContainText('Disconnect Gmail from aiops-1?')
    await shown(question).toContainText('HQ has Google withdraw the token.')
    await page.keyboard.press('Escape')
    await shown(question).toHaveCount(0)
    expect(await requests(page)).toEqual([])
    await card('Gmail').getByRole('button', { name: 'Disconnect Gmail' }).click()
    await question.getByRole('button', { name: 'Disconnect Gmail' }).click()
    await expect.poll(() => requests(page)).toEqual([['connectors.revoke', { name: 'gmail' }]])
    await leave(page)
  })

  test('proves what lies on the host, and shows why the host refused', async () => {
    const scene = connectorStory('a new secret to prove')
    scene.problems['connectors.finalize'] = {
      error_class: 'lane_busy',
      message: 'Another check of Gmail runs. Nothing was started.',
      next_auto_fix: 'wait_for_active_run',
    }
    const { page, card } = await openAt(scene)
    await card('Gmail').getByRole('button', { name: 'Prove it Gmail' }).click()
    await shown(card('Gmail').getByRole('alert')).toContainText('lane_busy')
    expect(await requests(page)).toEqual([['connectors.finalize', { name: 'gmail' }]])
    await leave(page)
  })

  test('shows the code of another device with its address as letters and as a QR code', async () => {
    const { page, card } = await openAt(connectorStory('a device code waits'))
    const address = 'https://www.google.com/device'
    await shown(card('Gmail')).toContainText('WDJB-MJHT')
    await shown(card('Gmail').getByRole('listitem').nth(1)).toContainText(address)
    const drawn = card('Gmail').getByRole('img', { name: `QR code of ${address}` })
    // Twice the pixels of its modules at least, or a camera cannot read it.
    const modules = Number((await drawn.getAttribute('viewBox'))?.split(' ')[2])
    expect(modules).toBeGreaterThan(20)
    expect((await drawn.boundingBox())?.width).toBeGreaterThanOrEqual(2 * modules)
    await leave(page)
  })

  test('the palette leads to the form of a connector, and runs what needs no form', async () => {
    const { page, card } = await openAt(connectorStory('all ready'))
    await shown(card('Gmail').getByRole('tab')).toHaveCount(0)
    await page.keyboard.press('Control+k')
    await page.getByRole('searchbox', { name: 'Search or run' }).fill('connect gmail')
    await page.getByRole('menuitem', { name: /^Connect Gmail/ }).click()
    await shown(page).toHaveURL(/#\/connectors\/gmail$/)
    await shown(page).toHaveTitle('Gmail · Connectors · OpenClaw HQ')
    await shown(card('Gmail').getByRole('tab')).toHaveCount(3)
    await shown(page.locator('.button-main')).toHaveText(['Reconnect Gmail'])
    await card('Gmail').getByRole('button', { name: 'Close' }).click()
    await shown(card('Gmail').getByRole('tab')).toHaveCount(0)
    await page.keyboard.press('Control+k')
    for (const name of ['Check connectors', 'Run Phase 0'])
      await shown(page.getByRole('menuitem', { name, exact: true })).toBeVisible()
    await leave(page)
  })

  test('the Overview says how both are, in one line', async () => {
    const { page } = await hq.open(connectorStory('refused and expired'))
    const line = page.getByRole('region', { name: 'Connectors' })
    await shown(line).toContainText('Kajabi expired')
    await shown(line).toContainText('Gmail invalid')
    await shown(
      page.getByRole('link', { name: 'Connectors, Kajabi expired, Gmail invalid' }),
    ).toBeVisible()
    await leave(page)
  })

  test('shows the last checks, each with its run, and Phase 0 with its proof', async () => {
    const { page } = await openAt(connectorStory('Phase 0 passed'))
    const checks = page.getByRole('list', { name: 'Checks of Kajabi' }).getByRole('listitem')
    await shown(checks).toHaveCount(4)
    await shown(checks.nth(3)).toContainText('connector_unreachable')
    await shown(checks.first().getByRole('link')).toHaveAttribute('href', /#\/runs\/.*-c0de1000$/)
    await shown(
      page.getByRole('region', { name: 'Phase 0' }).getByRole('link', { name: 'Proof' }),
    ).toHaveAttribute('href', /#\/proofs\/host\/phase0\/.*-fa5e0000$/)
    await leave(page)
  })

  test('keeps what a silent host said before, with its age, and starts nothing', async () => {
    const { page, card } = await openAt(connectorStory('the host is away'))
    await shown(page.getByText(/^as of \d\d:\d\d:\d\d/)).toBeVisible()
    await shown(card('Gmail')).toContainText('operator@example.com')
    await page.getByRole('button', { name: 'Check connectors: unreachable' }).press('Enter')
    await card('Gmail').getByRole('button', { name: 'Disconnect Gmail' }).press('Enter')
    await shown(page.getByRole('alertdialog')).toHaveCount(0)
    expect((await callsOf(page)).filter(({ name }) => name === 'host.exec')).toEqual([])
    await leave(page)
  })

  test('on the console shows the states, checks and proves, and says that the laptop connects', async () => {
    const scene = connectorStory('nothing connected')
    const { page, card } = await openAt({
      ...scene,
      answers: { ...scene.answers, 'app.info': info({ mode: 'console', operator: false }) },
    })
    await card('Kajabi').getByRole('button', { name: 'Connect: only on the laptop' }).press('Enter')
    await shown(card('Gmail').getByRole('tab')).toHaveCount(0)
    await card('Kajabi').getByRole('button', { name: 'Prove it Kajabi' }).click()
    await expect.poll(() => requests(page)).toEqual([['connectors.finalize', { name: 'kajabi' }]])
    await page.getByRole('button', { name: 'Check connectors' }).click()
    await expect
      .poll(async () => (await callsOf(page)).filter(({ name }) => name === 'host.exec'))
      .toEqual([{ name: 'host.exec', input: { action: 'connectors_status' } }])
    await shown(page).toHaveURL(/#\/connectors$/)
    await leave(page)
  })
})

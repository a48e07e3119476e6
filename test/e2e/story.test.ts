import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Browser, Page } from 'playwright'
import { dodLastReply } from '#shared/api'
import { deployBundleFiles, shipBundleFiles } from '#shared/bundle'
import { remediations } from '#shared/errors/remediations'
import { trustFile } from '#shared/config'
import { signedVerdict } from '#shared/signature'
import { reviewRef } from '#shared/verdict'
import { members } from '#ops/base/process/process-tree'
import { launchBrowser, pageMs, shown } from '../support/browser.ts'
import { startDemo, type Demo } from '../support/demo.ts'

/** The whole main job as a newcomer does it: `hq up`, a change, Ship, Deploy+Verify, six green gates. */
describe('the story', () => {
  let root: string
  let demo: Demo
  let browser: Browser
  let page: Page
  const git = (repo: string, ...args: string[]): string =>
    execFileSync('git', args, { cwd: repo, encoding: 'utf8' }).trim()
  const gate = (name: string, state: string) =>
    page.getByRole('listitem', { name: new RegExp(`^${name}: ${state}`) })

  beforeAll(async () => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'story-')))
    demo = await startDemo(root, ['--scripted-review'])
    browser = await launchBrowser()
    page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
    page.setDefaultTimeout(pageMs)
    await page.goto(demo.url)
  })

  afterAll(async () => {
    await browser?.close()
    await demo?.stop()
    rmSync(root, { recursive: true, force: true })
  })

  const toOverview = (): Promise<void> => page.getByRole('link', { name: /^Overview/ }).click()

  let commit: string
  it('opens with a first change that can be shipped, and six gates that wait', async () => {
    for (const name of ['Tests', 'Review', 'Pushed', 'Deployed', 'Verified', 'Proof'])
      await gate(name, 'Waiting').first().waitFor()
    await shown(page.getByRole('button', { name: /^Ship/ }).first()).not.toHaveAttribute(
      'aria-disabled',
      'true',
    )
  })

  it('U12 ships what the demo suggests: tested, reviewed by the real Codex CLI, pushed as reviewed', async () => {
    writeFileSync(
      join(demo.laptop, 'greeting.mjs'),
      'export const greeting = (name) => `Welcome aboard, ${name}!`\n' +
        '\n' +
        'export const farewell = (name) => `Until soon, ${name}.`\n',
    )
    git(demo.laptop, 'commit', '--all', '--quiet', '--message', 'Say farewell')
    commit = git(demo.laptop, 'rev-parse', 'HEAD')
    const ship = page.getByRole('button', { name: /^Ship/ }).first()
    await shown(ship).not.toHaveAttribute('aria-disabled', 'true')
    await ship.click()
    await page.getByRole('heading', { name: /is shipped/ }).waitFor({ timeout: 300_000 })
    await page.getByText(/^by this laptop, key /).waitFor()
    await toOverview()
    await gate('Pushed', 'Pass').first().waitFor()
    const origin = join(root, 'git', 'sample-app.git')
    expect(git(origin, 'rev-parse', 'refs/heads/main')).toBe(commit)
    const pushed = signedVerdict.parse(
      JSON.parse(git(origin, 'cat-file', 'blob', reviewRef(commit))),
    )
    expect(pushed).toMatchObject({
      verdict: 'APPROVED',
      head_sha: commit,
      reviewer: { scripted: true },
    })
    const { keys } = trustFile.parse(
      JSON.parse(readFileSync(join(root, 'host', 'etc', 'trust.json'), 'utf8')),
    )
    expect(keys.map(({ id }) => id)).toEqual([pushed.signature.key_id])
    expect(pushed.reviewer.cli_version).toMatch(/\d+\.\d+/)
  }, 400_000)

  it('labels the scripted review wherever HQ shows it', async () => {
    await shown(page.getByText('scripted (demo)').first()).toBeVisible()
  })

  it('deploys and verifies it: six green gates, the new version answers', async () => {
    const deploy = page.getByRole('button', { name: /^Deploy\+Verify/ }).first()
    await shown(deploy).not.toHaveAttribute('aria-disabled', 'true')
    await deploy.click()
    await page.waitForURL(/#\/runs\//)
    await toOverview()
    for (const name of ['Tests', 'Review', 'Pushed', 'Deployed', 'Verified', 'Proof'])
      await gate(name, 'Pass').first().waitFor({ timeout: 300_000 })
    await page.getByText('Pass, verified').first().waitFor()
    const health = await (await fetch(`http://127.0.0.1:${demo.ports().app}/api/health`)).json()
    expect(health).toEqual({ ok: true, commit })
  }, 600_000)

  it('proves it: /api/dod/last through the console is PASS for this run, and both bundles are complete', async () => {
    const token = readFileSync(
      join(root, 'host', 'etc', 'secrets', 'openclaw_admin_token'),
      'utf8',
    ).trim()
    const reply = await fetch(`http://127.0.0.1:${demo.ports().console}/api/dod/last`, {
      headers: { 'x-openclaw-admin-token': token },
    })
    const last = dodLastReply.parse(await reply.json())
    expect(last).toMatchObject({ ok: true, overall: 'PASS' })
    const artifacts = join(root, 'host', 'app', 'artifacts')
    const deployRun = last.result?.deploy_run_id ?? ''
    for (const file of deployBundleFiles)
      expect(existsSync(join(artifacts, 'deploy', deployRun, file)), file).toBe(true)
    const state = JSON.parse(
      readFileSync(join(root, 'host', 'state', 'project_state.json'), 'utf8'),
    ) as { last_deploy_run_id: string; last_verified_head: string }
    expect(state).toMatchObject({ last_deploy_run_id: deployRun, last_verified_head: commit })
    const shipRun = signedVerdict.parse(
      JSON.parse(git(join(root, 'git', 'sample-app.git'), 'cat-file', 'blob', reviewRef(commit))),
    ).run_id
    for (const side of [join(demo.laptop, 'artifacts'), artifacts]) {
      for (const file of shipBundleFiles)
        expect(existsSync(join(side, 'ship', shipRun, file)), `${side} ${file}`).toBe(true)
    }
    expect(existsSync(join(artifacts, '.maintenance_mode'))).toBe(false)
  })

  it('leaves nothing running when it is stopped, and is as it was when it is started again', async () => {
    expect(await demo.stop()).toBe(0)
    expect(members({ marker: `OPENCLAW_SANDBOX=${root}` })).toEqual([])
    await expect(fetch(`http://127.0.0.1:${demo.ports().app}/api/health`)).rejects.toThrow()

    demo = await startDemo(root, ['--scripted-review'])
    await page.goto(demo.url)
    for (const name of ['Tests', 'Review', 'Pushed', 'Deployed', 'Verified', 'Proof'])
      await gate(name, 'Pass').first().waitFor()
    expect(await (await fetch(`http://127.0.0.1:${demo.ports().app}/api/health`)).json()).toEqual({
      ok: true,
      commit,
    })
  })
})

describe('the demo without a Codex sign-in', () => {
  it('ends Ship blocked as review_unavailable, says who can fix it, and pushes nothing', async () => {
    const root = realpathSync(mkdtempSync(join(tmpdir(), 'unsigned-')))
    const demo = await startDemo(root)
    const browser = await launchBrowser()
    try {
      const origin = join(root, 'git', 'sample-app.git')
      const refs = (): string =>
        execFileSync('git', ['for-each-ref'], { cwd: origin, encoding: 'utf8' })
      const before = refs()
      const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
      page.setDefaultTimeout(pageMs)
      await page.goto(demo.url)
      await page.getByRole('button', { name: /^Ship/ }).first().click()
      await page.getByRole('heading', { name: /is not shipped/ }).waitFor({ timeout: 300_000 })
      const why = page.getByRole('region', { name: 'Why red' })
      await shown(why).toContainText('review_unavailable')
      await shown(why).toContainText(remediations.connect_codex.title)
      expect(refs()).toBe(before)
    } finally {
      await browser.close()
      await demo.stop()
      rmSync(root, { recursive: true, force: true })
    }
  }, 400_000)
})

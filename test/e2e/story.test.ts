import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Browser, Page } from 'playwright'
import { dodLastReply } from '#shared/api'
import { deployBundleFiles, shipBundleFiles } from '#shared/bundle'
import { reviewRef, verdict } from '#shared/verdict'
import { LineSplitter } from '#ops/lines'
import { members } from '#ops/process-tree'
import { programArgv } from '#ops/program'
import { launchBrowser } from '../support/browser.ts'

/** The whole main job as a newcomer does it: `hq up`, a change, Ship, Deploy+Verify, six green gates. */
describe('the story', () => {
  let root: string
  let up: ChildProcess
  let browser: Browser
  let page: Page
  const output: string[] = []
  const git = (repo: string, ...args: string[]): string => execFileSync('git', args, { cwd: repo, encoding: 'utf8' }).trim()
  const sandboxPorts = (): { app: number; console: number } => (JSON.parse(readFileSync(join(root, 'sandbox.json'), 'utf8')) as { ports: { app: number; console: number } }).ports
  const laptop = (): string => join(root, 'laptop', 'sample-app')
  const gate = (name: string, state: string) => page.getByRole('listitem', { name: new RegExp(`^${name}: ${state}`) })

  beforeAll(async () => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'story-')))
    const [program, ...args] = programArgv('hq', ['up', '--root', root, '--no-open', '--scripted-review'])
    const { OPENAI_API_KEY: _key, ...env } = process.env
    up = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    const url = await new Promise<string>((resolve, reject) => {
      const lines = new LineSplitter((line) => {
        output.push(line)
        if (line.startsWith('HQ: ')) resolve(line.slice(4))
      })
      up.stdout?.on('data', (chunk: Buffer) => lines.push(chunk))
      up.stderr?.on('data', (chunk: Buffer) => output.push(chunk.toString()))
      up.once('exit', (code) => reject(new Error(`hq up ended with ${code}:\n${output.join('\n')}`)))
    })
    browser = await launchBrowser()
    page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
    await page.goto(url)
  })

  afterAll(async () => {
    await browser?.close()
    if (up?.exitCode === null) {
      const gone = once(up, 'exit')
      up.kill('SIGTERM')
      await gone
    }
    rmSync(root, { recursive: true, force: true })
  })

  const toOverview = (): Promise<void> => page.getByRole('link', { name: /^Overview/ }).click()

  let commit: string
  it('opens with a first change that can be shipped, and six gates that wait', async () => {
    for (const name of ['Tests', 'Review', 'Pushed', 'Deployed', 'Verified', 'Proof']) await gate(name, 'Waiting').first().waitFor({ timeout: 30_000 })
    expect(await page.getByRole('button', { name: /^Ship/ }).first().getAttribute('aria-disabled')).not.toBe('true')
  })

  it('ships a change: tested, reviewed by the real Codex CLI, pushed exactly as reviewed', async () => {
    writeFileSync(join(laptop(), 'greeting.mjs'), 'export const greeting = (name) => `Hello, ${name}.`\n\nexport const farewell = (name) => `Until soon, ${name}.`\n')
    git(laptop(), 'commit', '--all', '--quiet', '--message', 'Say farewell')
    commit = git(laptop(), 'rev-parse', 'HEAD')
    const ship = page.getByRole('button', { name: /^Ship/ }).first()
    await expect.poll(() => ship.getAttribute('aria-disabled'), { timeout: 30_000 }).not.toBe('true')
    await ship.click()
    await page.getByRole('heading', { name: /is shipped/ }).waitFor({ timeout: 90_000 })
    await toOverview()
    await gate('Pushed', 'Pass').first().waitFor({ timeout: 90_000 })
    const origin = join(root, 'git', 'sample-app.git')
    expect(git(origin, 'rev-parse', 'refs/heads/main')).toBe(commit)
    const pushed = verdict.parse(JSON.parse(git(origin, 'cat-file', 'blob', reviewRef(commit))))
    expect(pushed).toMatchObject({ verdict: 'APPROVED', head_sha: commit, reviewer: { scripted: true } })
    expect(pushed.reviewer.cli_version).toMatch(/\d+\.\d+/)
  })

  it('labels the scripted review wherever HQ shows it', async () => {
    expect(await page.getByText('scripted (demo)').count()).toBeGreaterThan(0)
  })

  it('deploys and verifies it: six green gates, the new version answers', async () => {
    const deploy = page.getByRole('button', { name: /^Deploy\+Verify/ }).first()
    await expect.poll(() => deploy.getAttribute('aria-disabled'), { timeout: 30_000 }).not.toBe('true')
    await deploy.click()
    await page.waitForURL(/#\/runs\//)
    await toOverview()
    for (const name of ['Tests', 'Review', 'Pushed', 'Deployed', 'Verified', 'Proof']) await gate(name, 'Pass').first().waitFor({ timeout: 120_000 })
    const health = await (await fetch(`http://127.0.0.1:${sandboxPorts().app}/api/health`)).json()
    expect(health).toEqual({ ok: true, commit })
  })

  it('proves it: /api/dod/last through the console is PASS for this run, and both bundles are complete', async () => {
    const token = readFileSync(join(root, 'host', 'etc', 'secrets', 'openclaw_admin_token'), 'utf8').trim()
    const reply = await fetch(`http://127.0.0.1:${sandboxPorts().console}/api/dod/last`, { headers: { 'x-openclaw-admin-token': token } })
    const last = dodLastReply.parse(await reply.json())
    expect(last).toMatchObject({ ok: true, overall: 'PASS' })
    const artifacts = join(root, 'host', 'app', 'artifacts')
    const deployRun = last.result?.deploy_run_id ?? ''
    for (const file of deployBundleFiles) expect(existsSync(join(artifacts, 'deploy', deployRun, file)), file).toBe(true)
    const state = JSON.parse(readFileSync(join(root, 'host', 'state', 'project_state.json'), 'utf8')) as { last_deploy_run_id: string; last_verified_head: string }
    expect(state).toMatchObject({ last_deploy_run_id: deployRun, last_verified_head: commit })
    const shipRun = verdict.parse(JSON.parse(git(join(root, 'git', 'sample-app.git'), 'cat-file', 'blob', reviewRef(commit)))).run_id
    for (const side of [join(laptop(), 'artifacts'), artifacts]) {
      for (const file of shipBundleFiles) expect(existsSync(join(side, 'ship', shipRun, file)), `${side} ${file}`).toBe(true)
    }
    expect(existsSync(join(artifacts, '.maintenance_mode'))).toBe(false)
  })

  it('leaves nothing running when it is stopped', async () => {
    const gone = once(up, 'exit')
    up.kill('SIGTERM')
    expect((await gone)[0]).toBe(0)
    expect(members({ marker: `OPENCLAW_SANDBOX=${root}` })).toEqual([])
    await expect(fetch(`http://127.0.0.1:${sandboxPorts().app}/api/health`)).rejects.toThrow()
  })
})

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { hostSettings } from '#shared/config'
import { passHostFiles, passedHostFiles, readHostFiles } from '#ops/core/config/host-files'
import { deployHost, type Deployed, type DeployHost } from '../../../support/host.ts'
import { freePort } from '../../../support/ports.ts'

/** A way to origin that lets nothing through until it is opened. */
interface Gate {
  readonly port: number
  /** Resolves with the first connection. */
  readonly reached: Promise<void>
  open(): void
  close(): void
}

async function gateTo(port: number): Promise<Gate> {
  const reached = Promise.withResolvers<void>()
  const opened = Promise.withResolvers<void>()
  const sockets = new Set<Socket>()
  const passOn = async (from: Socket): Promise<void> => {
    await opened.promise
    const to = connect(port, '127.0.0.1').on('error', () => from.destroy())
    sockets.add(to)
    from.pipe(to).pipe(from)
  }
  const server: Server = createServer((from) => {
    sockets.add(from.on('error', () => undefined).pause())
    reached.resolve()
    void passOn(from)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    reached: reached.promise,
    open: () => opened.resolve(),
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

let at: DeployHost
let gate: Gate
let deployed: Deployed
let newPort: number
let target: string
const waitingBuild = (go: string): string => `
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
while (!existsSync(${JSON.stringify(go)})) await new Promise((resolve) => setTimeout(resolve, 50))
mkdirSync('dist', { recursive: true })
writeFileSync('dist/message.txt', 'two')
`

/**
 * A deploy is held twice: before its first attempt, where both files are changed, and in its build, where they return.
 */
beforeAll(async () => {
  at = await deployHost({ message: 'one' })
  const first = await at.deploy()
  expect(first.result.overall, JSON.stringify(first.result.steps)).toBe('PASS')
  const { paths, dir } = at.host
  // A pinned host asks origin before the first attempt.
  const state = JSON.parse(readFileSync(paths.projectState, 'utf8')) as Record<string, unknown>
  const pin = {
    sha: first.result.target_sha,
    from_sha: 'f'.repeat(40),
    run_id: first.run.run_id,
    since: new Date().toISOString(),
  }
  writeFileSync(paths.projectState, JSON.stringify({ ...state, pin }))
  const go = join(dir, 'go')
  target = await at.ship({ message: 'two' }, { files: { 'build.mjs': waitingBuild(go) } })
  gate = await gateTo(at.ports.git)
  const url = `git://127.0.0.1:${gate.port}/sample.git`
  at.git(paths.root, 'remote', 'set-url', 'origin', url)
  newPort = await freePort()
  const before = [paths.hostSettings, paths.trustFile].map((file) => [file, readFileSync(file)])

  const ending = at.deploy({
    onEvents: (events) => {
      const builds = events.some(
        (event) => event.type === 'step_started' && event.step === 'console_build',
      )
      if (!builds) return
      for (const [file, content] of before) writeFileSync(String(file), content ?? '')
      writeFileSync(go, '')
    },
  })
  await Promise.race([gate.reached, ending])
  at.settings({ service_ports: { app: newPort }, deploy_attempts: 1 })
  at.trust({ review_providers: [] })
  gate.open()
  deployed = await ending
})
afterAll(async () => {
  gate.close()
  await at.remove()
})

it('brings the services up on the ports that host.json named when the deploy started', async () => {
  expect(deployed.result, JSON.stringify(deployed.result.steps)).toMatchObject({
    overall: 'PASS',
    target_sha: target,
  })
  expect(await at.message()).toEqual({ commit: target, message: 'two' })
  await expect(fetch(`http://127.0.0.1:${newPort}/api/health`)).rejects.toThrow()
})

it('proves the reviews by the trust file that was there when the deploy started', () => {
  const sync = deployed.result.steps.find(({ name }) => name === 'git_sync')
  expect(sync).toMatchObject({ status: 'passed' })
  expect(sync?.detail).toContain('1 reviews checked')
})

it('applies the change to the next deploy', async () => {
  at.trust({ review_providers: [] })
  const { result } = await at.deploy()
  expect(result).toMatchObject({ overall: 'FAIL', error_class: 'provider_not_accepted' })
  expect(await at.message()).toEqual({ commit: target, message: 'two' })
})

it('lets an attempt read the files itself when its deploy handed it none, as an older HQ', () => {
  const { paths } = at.host
  expect(passedHostFiles({})).toBeNull()
  const files = readHostFiles(paths)
  expect(passedHostFiles(passHostFiles(files))).toEqual(files)
  expect(existsSync(paths.shipKeysFile)).toBe(false)
  expect(files.ship_keys).toBeNull()
  expect(hostSettings.parse(JSON.parse(files.host ?? ''))).toMatchObject({ deploy_attempts: 2 })
})

it('refuses files that are too large to hand on, and a damaged variable, by their name', () => {
  const large = { host: null, trust: 'x'.repeat(200_000), ship_keys: null }
  expect(() => passHostFiles(large)).toThrow(/trust\.json.*bytes together/)
  expect(() => passedHostFiles({ OPENCLAW_DEPLOY_SETTINGS: '{"host":1}' })).toThrow(
    expect.objectContaining({
      errorClass: 'config_invalid',
      message: expect.stringContaining('OPENCLAW_DEPLOY_SETTINGS: host'),
    }),
  )
})

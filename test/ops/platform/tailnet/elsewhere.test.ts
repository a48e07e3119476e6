import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import os, { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { tailscaleElsewhere } from '#ops/platform/tailnet/elsewhere'

let dir: string
let child: ChildProcess | undefined
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'elsewhere-'))
})
afterEach(async () => {
  vi.restoreAllMocks()
  if (child?.exitCode === null) {
    const ended = once(child, 'exit')
    child.stdin?.end()
    await ended
  }
  child = undefined
  rmSync(dir, { recursive: true })
})

const systemError = (code: keyof typeof os.constants.errno): Error =>
  Object.assign(new Error('uv_interface_addresses'), {
    code: 'ERR_SYSTEM_ERROR',
    errno: os.constants.errno[code],
  })

it('looks on where a unit may not list addresses, and hides no other error', () => {
  const list = vi.spyOn(os, 'networkInterfaces').mockImplementation(() => {
    throw systemError('EAFNOSUPPORT')
  })
  expect(tailscaleElsewhere()).toBeNull()
  list.mockImplementation(() => {
    throw systemError('ENOMEM')
  })
  expect(tailscaleElsewhere).toThrow('uv_interface_addresses')
})

/** In a network of its own: it starts a process of that name, says what it finds, and waits for the end of its input. */
const inside = `
import { spawn } from 'node:child_process'
import { once } from 'node:events'
const daemon = spawn(process.env.DAEMON, ['600'], { stdio: 'ignore' })
await once(daemon, 'spawn')
const { tailscaleElsewhere } = await import(process.env.MODULE)
console.log(JSON.stringify([tailscaleElsewhere(), daemon.pid]))
process.stdin.resume()
await once(process.stdin, 'end')
daemon.kill()
`

it.skipIf(process.getuid?.() !== 0)(
  'counts a tailscaled of its own network, and none of another one (needs root)',
  async () => {
    const daemon = join(dir, 'tailscaled')
    copyFileSync('/bin/sleep', daemon)
    const argv = ['--net', process.execPath, '--input-type=module', '-e', inside]
    const module = new URL('../../../../ops/platform/tailnet/elsewhere.ts', import.meta.url).href
    const env = { ...process.env, DAEMON: daemon, MODULE: module }
    child = spawn('unshare', argv, { env, stdio: ['pipe', 'pipe', 'inherit'] })
    const [printed] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
    const [found, pid] = JSON.parse(printed.toString()) as [string | null, number]
    expect(found).toBe(`process ${pid} (tailscaled)`)
    expect(tailscaleElsewhere()).toBeNull()
  },
)

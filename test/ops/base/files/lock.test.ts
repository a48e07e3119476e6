import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isLocked, takeLock, tryLock, withLock } from '#ops/base/files/lock'

let dir: string
let file: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lock-'))
  file = join(dir, 'locks', 'lane-deploy.lock')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

describe('a lock', () => {
  it('has one holder, is seen by others, and is free after release', () => {
    expect(isLocked(file)).toBe(false)
    const lock = tryLock(file)
    expect(lock).not.toBeNull()
    expect(tryLock(file)).toBeNull()
    expect(isLocked(file)).toBe(true)
    lock?.release()
    expect(isLocked(file)).toBe(false)
    tryLock(file)?.release()
  })

  it('writes nothing, so that it can be taken on a full disk', () => {
    const lock = tryLock(file)
    expect(readdirSync(join(dir, 'locks'))).toEqual(['lane-deploy.lock'])
    expect(statSync(file).size).toBe(0)
    lock?.release()
  })

  it('is freed by the kernel when its holder is killed, also while a child of the holder lives on', async () => {
    const script = `import { tryLock } from ${JSON.stringify(join(process.cwd(), 'ops/base/files/lock.ts'))}
      import { spawn } from 'node:child_process'
      const lock = tryLock(${JSON.stringify(file)})
      const child = spawn('sleep', ['600'], { stdio: 'ignore' })
      console.log(lock ? child.pid : 'none')`
    const holder = spawn(
      process.execPath,
      ['--input-type=module', '-e', `${script}; setInterval(() => {}, 1000)`],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    const [chunk] = (await once(holder.stdout, 'data')) as [Buffer]
    const childPid = Number(chunk.toString())
    try {
      expect(isLocked(file)).toBe(true)
      const gone = once(holder, 'exit')
      holder.kill('SIGKILL')
      await gone
      expect(isLocked(file)).toBe(false)
    } finally {
      process.kill(childPid, 'SIGKILL')
    }
  })

  it('is taken once its holder releases it, and waited for no longer than given', async () => {
    const first = tryLock(file)
    expect(await takeLock(file, 60)).toBeNull()
    setTimeout(() => first?.release(), 50)
    const second = await takeLock(file, 10_000)
    expect(second).not.toBeNull()
    await expect(takeLock(file, 10_000, AbortSignal.timeout(40))).rejects.toThrow('aborted')
    second?.release()
  })

  it('is held during a work only, also when the work fails', async () => {
    const busy = (): Error => new Error('it is busy')
    const options = { waitMs: 0, busy }
    const inner = withLock(file, options, () => withLock(file, options, () => 1))
    await expect(inner).rejects.toThrow('it is busy')
    expect(isLocked(file)).toBe(false)
    expect(await withLock(file, options, () => isLocked(file))).toBe(true)
    expect(isLocked(file)).toBe(false)
  })
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { baseEnv, runCommand } from '#ops/command'
import { identify, members } from '#ops/process-tree'

const options = { cwd: '/', env: baseEnv(), timeLimitSeconds: 20 }

describe('running a command', () => {
  it('gives exit code, lines of both streams and kept output', async () => {
    const lines: string[] = []
    const result = await runCommand(['sh', '-c', 'echo out; echo err >&2; exit 3'], { ...options, keepStdout: true, onLine: (text, stream) => lines.push(`${stream}:${text}`) })
    expect(result).toMatchObject({ exitCode: 3, signal: null, timedOut: false, stdout: 'out\n', stderrTail: 'err' })
    expect(lines.toSorted()).toEqual(['stderr:err', 'stdout:out'])
  })

  it('ends what a command left running, also when that made a session of its own and holds the pipe open', async () => {
    const marker = `OPENCLAW_TEST=${process.pid}-${Date.now()}`
    const [name, value] = marker.split('=') as [string, string]
    const result = await runCommand(['sh', '-c', '(setsid sleep 600 &); exit 0'], { ...options, env: baseEnv({ [name]: value }) })
    expect(result.exitCode).toBe(0)
    expect(members({ marker })).toEqual([])
  })

  it('ends a command at its time limit, although it ignores SIGTERM', async () => {
    const result = await runCommand(['sh', '-c', 'trap "" TERM; while :; do sleep 0.1; done'], { ...options, timeLimitSeconds: 0.3 })
    expect(result).toMatchObject({ timedOut: true, signal: 'SIGKILL' })
  })

  it.skipIf(process.getuid?.() !== 0)('names a process of its group that became another user\'s, and ends the rest', async () => {
    const program = `import { endTree } from ${JSON.stringify(join(process.cwd(), 'ops/process-tree.ts'))}
      const group = Number(process.argv[1]); console.log(JSON.stringify(await endTree({ pgid: group }, 100)))`
    // Two of one group: one of root, and one of the very user that ends them.
    const leader = spawn('sh', ['-c', 'setpriv --reuid=65534 --regid=65534 --clear-groups sleep 600 & echo $!; exec sleep 600'], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] })
    try {
      const [line] = await once(leader.stdout, 'data') as [Buffer]
      const { stdout } = await runCommand(['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, '--input-type=module', '-e', program, String(leader.pid)], { ...options, keepStdout: true })
      expect(JSON.parse(stdout)).toEqual([leader.pid])
      expect(identify(Number(String(line)))).toBeNull()
    } finally {
      leader.kill('SIGKILL')
    }
  })

  it('throws cancelled when its signal fires', async () => {
    const abort = new AbortController()
    const running = runCommand(['sh', '-c', 'echo ready; sleep 600'], { ...options, signal: abort.signal, onLine: () => abort.abort() })
    await expect(running).rejects.toMatchObject({ errorClass: 'cancelled' })
  })

  it('passes on nothing of its own environment but what it was given', async () => {
    process.env['OPENCLAW_SECRET_PROBE'] = 'canary'
    const result = await runCommand(['env'], { ...options, keepStdout: true })
    delete process.env['OPENCLAW_SECRET_PROBE']
    expect(result.stdout).not.toContain('canary')
    expect(result.stdout).toContain('LANG=C.UTF-8')
  })

  it('says that a program does not exist', async () => {
    await expect(runCommand(['/no/such/program'], options)).rejects.toMatchObject({ errorClass: 'internal_error', message: expect.stringContaining('/no/such/program could not be started') })
  })
})

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { baseEnv, runCommand } from '#ops/base/process/command'
import { identify, members } from '#ops/base/process/process-tree'
import { readablePackage } from '../../../support/readable-package.ts'

const options = { cwd: '/', env: baseEnv(), timeLimitSeconds: 200 }

describe('running a command', () => {
  it('gives exit code, lines of both streams and kept output', async () => {
    const lines: string[] = []
    const result = await runCommand(['sh', '-c', 'echo out; echo err >&2; exit 3'], {
      ...options,
      keepStdout: true,
      onLine: (text, stream) => lines.push(`${stream}:${text}`),
    })
    expect(result).toMatchObject({
      exitCode: 3,
      signal: null,
      timedOut: false,
      stdout: 'out\n',
      stderrTail: 'err',
    })
    expect(lines.toSorted()).toEqual(['stderr:err', 'stdout:out'])
  })

  it('ends what a command left running, also when that made its own session and holds the pipe open', async () => {
    const marker = `OPENCLAW_TEST=${process.pid}-${Date.now()}`
    const [name, value] = marker.split('=') as [string, string]
    const result = await runCommand(['sh', '-c', '(setsid sleep 600 &); exit 0'], {
      ...options,
      env: baseEnv({ [name]: value }),
    })
    expect(result.exitCode).toBe(0)
    expect(members({ marker })).toEqual([])
  })

  it('ends what a descendant started long after the command, in its own session', async () => {
    const marker = `OPENCLAW_TEST=${process.pid}-late-${Date.now()}`
    const [name, value] = marker.split('=') as [string, string]
    const result = await runCommand(
      ['sh', '-c', '(setsid sh -c "sleep 0.3; sleep 600 & exec sleep 601" &); sleep 0.6'],
      { ...options, env: baseEnv({ [name]: value }) },
    )
    expect(result.exitCode).toBe(0)
    expect(members({ marker })).toEqual([])
  })

  it('ends descendants that each start the next and exit, faster than all processes can be listed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'command-'))
    try {
      const [script, log] = [join(folder, 'next.sh'), join(folder, 'log')]
      writeFileSync(
        script,
        '#!/bin/sh\n[ "$1" -gt 0 ] || exit 0\necho >> "$2"\nsetsid "$0" $(($1 - 1)) "$2" &\n',
        { mode: 0o755 },
      )
      for (let n = 0; n < 12; n += 1) {
        expect(await runCommand([script, '2000', log], options)).toMatchObject({ exitCode: 0 })
        const size = statSync(log).size
        await delay(60) // in which one that was overlooked starts many more
        expect([n, statSync(log).size - size]).toEqual([n, 0])
      }
    } finally {
      rmSync(folder, { recursive: true, force: true, maxRetries: 50 })
    }
  })

  const ownProcesses = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child', '--']
  const canReuse =
    process.getuid?.() === 0 &&
    spawnSync(ownProcesses[0] ?? '', [
      ...ownProcesses.slice(1),
      'sh',
      '-c',
      'echo 300 > /proc/sys/kernel/ns_last_pid',
    ]).status === 0
  it.skipIf(!canReuse)(
    'ends a descendant that got the process id of an older, unrelated process',
    async () => {
      const file = (name: string): string => JSON.stringify(join(process.cwd(), name))
      const program = `import { spawn } from 'node:child_process'; import { once } from 'node:events'
      import { runCommand } from ${file('ops/base/process/command.ts')}
      import { identify } from ${file('ops/base/process/process-tree.ts')}
      const options = { cwd: '/', env: { PATH: process.env.PATH }, timeLimitSeconds: 200, keepStdout: true }
      const older = spawn('sleep', ['600'])
      // Two, as the clock of process starts has ticks of 10 ms.
      await runCommand(['sleep', '0.1'], options); await runCommand(['true'], options)
      older.kill('SIGKILL'); await once(older, 'exit')
      const again =
        'echo ' + (older.pid - 1) + ' > /proc/sys/kernel/ns_last_pid; setsid sleep 600 >/dev/null 2>&1 & echo $!'
      const { stdout } = await runCommand(['sh', '-c', again], options)
      console.log(JSON.stringify({ reused: Number(stdout) === older.pid, left: identify(older.pid) }))`
      const { stdout, stderrTail } = await runCommand(
        [...ownProcesses, process.execPath, '--input-type=module', '-e', program],
        { ...options, keepStdout: true },
      )
      expect(stderrTail).toBe('')
      expect(JSON.parse(stdout)).toEqual({ reused: true, left: null })
    },
  )

  it('ends a command at its time limit, although it ignores SIGTERM', async () => {
    // Long enough for the shell to have come to its trap, also on a loaded machine: one that has not would obey.
    const result = await runCommand(['sh', '-c', 'trap "" TERM; while :; do sleep 0.1; done'], {
      ...options,
      timeLimitSeconds: 4,
    })
    expect(result).toMatchObject({ timedOut: true, signal: 'SIGKILL' })
  })

  it.skipIf(process.getuid?.() !== 0)(
    "names a process of its group that became another user's, and ends the rest",
    async () => {
      const readable = readablePackage('ops/base/process/process-tree.ts')
      const program = `import { endTree } from ${JSON.stringify(readable.entry)}
      const group = Number(process.argv[1]); console.log(JSON.stringify(await endTree({ pgid: group }, 100)))`
      // Two of one group: one of root, and one of the very user that ends them.
      const leader = spawn(
        'sh',
        [
          '-c',
          'setpriv --reuid=65534 --regid=65534 --clear-groups sleep 600 & echo $!; exec sleep 600',
        ],
        { detached: true, stdio: ['ignore', 'pipe', 'ignore'] },
      )
      try {
        const [line] = (await once(leader.stdout, 'data')) as [Buffer]
        const { stdout } = await runCommand(
          [
            'setpriv',
            '--reuid=65534',
            '--regid=65534',
            '--clear-groups',
            readable.node,
            '--input-type=module',
            '-e',
            program,
            String(leader.pid),
          ],
          { ...options, keepStdout: true },
        )
        expect(JSON.parse(stdout)).toEqual([leader.pid])
        expect(identify(Number(String(line)))).toBeNull()
      } finally {
        leader.kill('SIGKILL')
        readable.remove()
      }
    },
  )

  it('throws cancelled when its signal fires', async () => {
    const abort = new AbortController()
    const running = runCommand(['sh', '-c', 'echo ready; sleep 600'], {
      ...options,
      signal: abort.signal,
      onLine: () => abort.abort(),
    })
    await expect(running).rejects.toMatchObject({ errorClass: 'cancelled' })
  })

  it('passes on only what it was given of its environment', async () => {
    process.env['OPENCLAW_SECRET_PROBE'] = 'canary'
    const result = await runCommand(['env'], { ...options, keepStdout: true })
    delete process.env['OPENCLAW_SECRET_PROBE']
    expect(result.stdout).not.toContain('canary')
    expect(result.stdout).toContain('LANG=C.UTF-8')
  })

  it('says that a program does not exist', async () => {
    await expect(runCommand(['/no/such/program'], options)).rejects.toMatchObject({
      errorClass: 'internal_error',
      message: expect.stringContaining('/no/such/program could not be started'),
    })
  })
})

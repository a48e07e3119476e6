import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { endTree } from '#ops/base/process/process-tree'
import { machineEnv, type Place } from './machine.ts'
import { until } from './patience.ts'
import { must, runProgram } from './programs.ts'

/**
 * The remote of a rig: bare repositories that the machine can read and, being served by `git daemon`, cannot push to.
 */
export interface Origin {
  /** Folder of the bare repositories, on this side. */
  readonly dir: string
  /** Address of a repository as the machine sees it. */
  url(repository: string): string
  /** Makes an empty bare repository. @returns its folder on this side, to which the operator pushes */
  create(repository: string): Promise<string>
  close(): Promise<void>
}

const port = 9418

/** @param place whose machine may read it; it ends with the machine at the latest */
export async function serveOrigin(place: Place): Promise<Origin> {
  const dir = join(place.dir, 'origin')
  const address = place.outside
  mkdirSync(dir, { recursive: true })
  const marker = `OPENCLAW_RIG_ORIGIN=${dir}`
  const child = spawn(
    'git',
    [
      'daemon',
      `--listen=${address}`,
      `--port=${port}`,
      '--reuseaddr',
      '--export-all',
      `--base-path=${dir}`,
      dir,
    ],
    {
      stdio: 'ignore',
      detached: true,
      env: {
        PATH: process.env['PATH'] ?? '/usr/bin:/bin',
        HOME: '/nonexistent',
        LANG: 'C.UTF-8',
        GIT_CONFIG_NOSYSTEM: '1',
        OPENCLAW_RIG_ORIGIN: dir,
        ...machineEnv(place),
      },
    },
  )
  child.unref()
  let ended = false
  for (const event of ['exit', 'error'])
    child.once(event, () => {
      ended = true
    })
  const url = (repository: string): string => `git://${address}/${repository}`
  const origin: Origin = {
    dir,
    url,
    create: async (repository) => {
      await must([
        'git',
        'init',
        '--quiet',
        '--bare',
        '--initial-branch=main',
        join(dir, repository),
      ])
      return join(dir, repository)
    },
    close: async () => {
      const left = await endTree({ marker }, 0)
      if (left.length > 0)
        throw new Error(`the origin's processes would not end: ${left.join(', ')}`)
    },
  }
  await origin.create('.probe')
  await until('the origin to answer', async () => {
    if (ended) throw new Error(`git daemon could not serve ${address}:${port}`)
    return (await runProgram(['git', 'ls-remote', url('.probe')])).code === 0
  })
  return origin
}

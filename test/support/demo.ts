import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { LineSplitter } from '#ops/base/process/lines'
import { programArgv } from '#ops/base/process/program'

export interface Demo {
  readonly root: string
  /** Address of HQ with its secret. */
  readonly url: string
  readonly laptop: string
  ports(): { readonly app: number; readonly console: number }
  /** Ends the demo as Ctrl-C does. @returns its exit code */
  stop(): Promise<number | null>
}

/** Starts `hq up` in `root` and waits until HQ has its address. Nothing of this environment signs Codex in. */
export async function startDemo(root: string, args: readonly string[] = []): Promise<Demo> {
  const [program, ...rest] = programArgv('hq', ['up', '--root', root, '--no-open', ...args])
  const { OPENAI_API_KEY: _openai, CODEX_API_KEY: _codex, ...env } = process.env
  const child: ChildProcess = spawn(program, rest, {
    env: { ...env, CODEX_HOME: join(root, 'no-codex-home') },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output: string[] = []
  const url = await new Promise<string>((resolve, reject) => {
    const lines = new LineSplitter((line) => {
      output.push(line)
      if (line.startsWith('HQ: ')) resolve(line.slice(4))
    })
    child.stdout?.on('data', (chunk: Buffer) => lines.push(chunk))
    child.stderr?.on('data', (chunk: Buffer) => output.push(chunk.toString()))
    child.once('exit', (code) =>
      reject(new Error(`hq up ended with ${code}:\n${output.join('\n')}`)),
    )
  })
  return {
    root,
    url,
    laptop: join(root, 'laptop', 'sample-app'),
    ports: () =>
      (
        JSON.parse(readFileSync(join(root, 'sandbox.json'), 'utf8')) as {
          ports: { app: number; console: number }
        }
      ).ports,
    stop: async () => {
      if (child.exitCode === null) {
        const gone = once(child, 'exit')
        child.kill('SIGTERM')
        await gone
      }
      return child.exitCode
    },
  }
}

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { patience } from './patience.ts'

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}
export interface RunOptions {
  readonly input?: string | Uint8Array
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** It is killed after this time, and that is an error. Default: `patience`. */
  readonly seconds?: number
}

/** Runs a program to its end and gives what it said. @throws when it cannot be started or takes too long */
export async function runProgram(
  argv: readonly string[],
  { input, env, cwd, seconds = patience }: RunOptions = {},
): Promise<Ended> {
  const [program = '', ...args] = argv
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(env ? { env } : {}),
    ...(cwd ? { cwd } : {}),
  })
  let out = ''
  let err = ''
  // A character may come in two chunks.
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  child.stdin.on('error', () => undefined) // it may end without reading
  child.stdin.end(input)
  let late = false
  const timer = setTimeout(() => {
    late = true
    child.kill('SIGKILL')
  }, seconds * 1000)
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (status) => resolve(status))
    })
    if (late)
      throw new Error(
        `${argv.join(' ')} took longer than ${seconds} s: ${out.slice(-2000)}${err.slice(-2000)}`,
      )
    return { code, out, err }
  } finally {
    clearTimeout(timer)
  }
}

/** The same for a program that must end well. @returns its standard output @throws with its last words */
export async function must(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, out, err } = await runProgram(argv, options)
  if (code !== 0)
    throw new Error(
      `${argv.join(' ')} ended with ${String(code)}: ${`${out}\n${err}`.trim().slice(-3000)}`,
    )
  return out
}

/** Programs the rig is made with. */
const needed = [
  'debootstrap',
  'systemd-nspawn',
  'nsenter',
  'ip',
  'mount',
  'umount',
  'git',
  'apt-get',
  'dpkg-deb',
]

/** Why no aiops-1 can be built here; null when it can. */
export function whyNoRig(): string | null {
  if (process.platform !== 'linux') return 'needs Linux'
  if (process.getuid?.() !== 0) return 'needs root'
  const folders = `${process.env['PATH'] ?? ''}${delimiter}/usr/sbin${delimiter}/sbin`.split(
    delimiter,
  )
  const missing = needed.filter(
    (program) => !folders.some((folder) => existsSync(join(folder, program))),
  )
  return missing.length === 0 ? null : `needs ${missing.join(', ')}`
}

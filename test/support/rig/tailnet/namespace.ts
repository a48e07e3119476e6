import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { machineEnv, type Place } from '../machine.ts'
import { until } from '../patience.ts'
import { must, runProgram, type Ended, type RunOptions } from '../programs.ts'

/**
 * A network of its own, with a `/run` and a `/etc/resolv.conf` of its own, so that what runs there changes nothing of
 * this side. One process that sleeps keeps it; it is gone with its last process.
 */
export interface Namespace {
  readonly name: string
  /** Folder of its files, on this side. */
  readonly dir: string
  /** Process that keeps it. */
  readonly pid: number
  /** What enters it, before a program's own arguments. */
  readonly enter: readonly string[]
  /** Environment of its programs: in each is the marker of the machine, with which all of them are ended. */
  readonly env: Readonly<Record<string, string>>
  exec(argv: readonly string[], options?: RunOptions): Promise<Ended>
  /** The same for a program that must end well. @returns its standard output */
  must(argv: readonly string[], options?: RunOptions): Promise<string>
  /** Starts a program that stays. Its output goes to a file of the folder, as `<name>.log`. */
  start(argv: readonly string[], log: string): ChildProcess
}

/** `$1` is a file for `/etc/resolv.conf`, `$2` one that is made when all is ready. */
const keeper = `set -e
ip link set lo up
mount -t tmpfs -o mode=755 tmpfs /run
target="$(readlink -m /etc/resolv.conf)"
mkdir -p "$(dirname "$target")"
[ -e "$target" ] || : > "$target"
mount --bind "$1" "$target"
: > "$2"
exec sleep infinity
`

/**
 * @param place of the machine that it belongs to: its processes end with the machine's
 * @param programs folder that its programs are found in first
 */
export async function makeNamespace(
  place: Place,
  name: string,
  programs: string,
): Promise<Namespace> {
  const dir = join(place.dir, 'nodes', name)
  mkdirSync(dir, { recursive: true })
  const [resolv, ready] = [join(dir, 'resolv.conf'), join(dir, 'ready')]
  writeFileSync(resolv, '')
  rmSync(ready, { force: true })
  const env = {
    PATH: [programs, process.env['PATH'] ?? '', '/usr/sbin', '/usr/bin', '/sbin', '/bin'].join(':'),
    HOME: dir,
    LANG: 'C.UTF-8',
    ...machineEnv(place),
  }
  const child = spawn(
    'unshare',
    ['--net', '--mount', '--propagation', 'private', 'sh', '-c', keeper, 'sh', resolv, ready],
    { detached: true, stdio: 'ignore', env },
  )
  child.unref()
  let ended = false
  for (const event of ['exit', 'error'])
    child.once(event, () => {
      ended = true
    })
  await until(`the network of ${name}`, () => {
    if (ended) throw new Error(`the network of ${name} could not be made`)
    return existsSync(ready)
  })
  const pid = child.pid ?? 0
  const enter = ['nsenter', '-t', String(pid), '-n', '-m', '--']
  return {
    name,
    dir,
    pid,
    enter,
    env,
    exec: async (argv, options = {}) =>
      await runProgram([...enter, ...argv], { ...options, env: { ...env, ...options.env } }),
    must: async (argv, options = {}) =>
      await must([...enter, ...argv], { ...options, env: { ...env, ...options.env } }),
    start: (argv, log) => {
      const output = openSync(join(dir, `${log}.log`), 'a')
      const [program = '', ...args] = [...enter, ...argv]
      const started = spawn(program, args, {
        detached: true,
        stdio: ['ignore', output, output],
        env,
      })
      closeSync(output)
      started.unref()
      return started
    },
  }
}

import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { endTree, identify } from '#ops/base/process/process-tree'
import { readJson, writeJson } from '#ops/base/files/json-file'
import { until } from './patience.ts'
import { must, runProgram, type Ended, type RunOptions } from './programs.ts'

/** One machine's place on disk and on the network. */
export interface Place {
  readonly name: string
  readonly dir: string
  /** Addresses of the pair: this side's, and the machine's. */
  readonly outside: string
  readonly inside: string
}

/** @param range first half of its addresses; that of tailnets, unless the machine is in a real one */
export const placeOf = (root: string, name: string, net: number, range = '100.64'): Place => ({
  name,
  dir: join(root, 'machines', name),
  outside: `${range}.${net}.1`,
  inside: `${range}.${net}.2`,
})

/** What a machine is started with. */
export interface MachineSetup {
  /** Files and folders of this side that the machine sees read-only: its path to ours. */
  readonly binds: Readonly<Record<string, string>>
  /** Device files that it may use. */
  readonly devices?: readonly string[]
  /** Connects the outer half of its pair of interfaces. Without it, this side has that half, as `outside`. */
  readonly connect?: (link: string) => Promise<void>
}

const record = z.strictObject({
  name: z.string(),
  nspawn: z.number().int(),
  nspawn_start: z.string(),
  leader: z.number().int(),
  leader_start: z.string(),
})
export type MachineRecord = z.infer<typeof record>

const recordFile = (place: Place): string => join(place.dir, 'machine.json')
/** Its file system, as this side sees it. */
export const merged = (place: Place): string => join(place.dir, 'merged')
/** In the environment of every process of this side that belongs to the machine; inside, nothing has it. */
export const machineEnv = (place: Place): { OPENCLAW_RIG_MACHINE: string } => ({
  OPENCLAW_RIG_MACHINE: place.dir,
})
const marker = (place: Place): string => `OPENCLAW_RIG_MACHINE=${place.dir}`
/** Interface names have at most 15 characters. */
const interfaceOf = (place: Place): string => `ve-${place.name}`.slice(0, 15)

const alive = (pid: number, start: string): boolean => identify(pid)?.start_time === start

/** @returns null when the machine is not up */
export function runningMachine(place: Place): MachineRecord | null {
  const found = readJson(recordFile(place), record, 'state_invalid') ?? null
  return found !== null && alive(found.leader, found.leader_start) ? found : null
}

function commOf(pid: number): string | null {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch (error) {
    if (
      error instanceof Error &&
      'code' in error &&
      (error.code === 'ENOENT' || error.code === 'ESRCH')
    )
      return null // it has ended
    throw error
  }
}

/** The first process of the machine: the only child of nspawn that is `systemd`. */
function leaderOf(nspawn: number): number | null {
  const children = readFileSync(`/proc/${nspawn}/task/${nspawn}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter((text) => text !== '')
    .map(Number)
  return children.find((pid) => commOf(pid) === 'systemd') ?? null
}

/**
 * HQ's timers wait a day: a pass that nobody requested does not come between what a test plants and what it checks.
 */
const rareTimers =
  '[Timer]\nOnActiveSec=\nOnUnitInactiveSec=\nOnActiveSec=1d\nOnUnitInactiveSec=1d\n'
/** Read for every timer of HQ (systemd.unit(5), drop-ins by prefix); one of a test comes after it by its name. */
const timerDropIns = 'etc/systemd/system/openclaw-.timer.d'

/**
 * A fresh machine over the base tree: what it writes lies in a layer of its own. @throws when one of this name exists
 */
export async function createMachine(place: Place, base: string): Promise<void> {
  for (const folder of ['upper', 'work', 'merged', 'docker'])
    mkdirSync(join(place.dir, folder), { recursive: true })
  await mountTree(place, base)
  const tree = merged(place)
  writeFileSync(
    join(tree, 'etc/rig-address'),
    `ADDRESS=${place.inside}\nGATEWAY=${place.outside}\n`,
  )
  writeFileSync(join(tree, 'etc/hostname'), 'aiops-1\n')
  writeFileSync(join(tree, 'etc/hosts'), `127.0.0.1 localhost aiops-1\n::1 localhost\n`)
  mkdirSync(join(tree, timerDropIns), { recursive: true })
  writeFileSync(join(tree, timerDropIns, 'rig.conf'), rareTimers)
  writeFileSync(join(place.dir, 'base'), base)
}

async function mountTree(place: Place, base: string): Promise<void> {
  const layers = `lowerdir=${base},upperdir=${join(place.dir, 'upper')},workdir=${join(place.dir, 'work')}`
  await must(['mount', '-t', 'overlay', `rig-${place.name}`, '-o', layers, merged(place)])
}

/** Is something mounted exactly there? */
const isMounted = (path: string): boolean =>
  readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .some((line) => line.split(' ')[1] === path)

/** Starts the machine and waits until it has finished booting. */
export async function startMachine(place: Place, setup: MachineSetup): Promise<MachineRecord> {
  if (!isMounted(merged(place)))
    await mountTree(place, readFileSync(join(place.dir, 'base'), 'utf8'))
  // of the machine that was off a moment ago: the kernel takes it away in its own time, and there is one of a name
  await linkGone(place)
  const console_ = openSync(join(place.dir, 'console.log'), 'a')
  const child = spawn(
    'systemd-nspawn',
    [
      '--quiet',
      '--boot',
      `--directory=${merged(place)}`,
      `--machine=${place.name}`,
      '--hostname=aiops-1',
      '--register=no',
      '--keep-unit',
      '--network-veth',
      '--capability=all',
      '--system-call-filter=add_key keyctl bpf @privileged',
      `--bind=${join(place.dir, 'docker')}:/var/lib/docker`,
      ...Object.entries(setup.binds).map(([inside, outside]) => `--bind-ro=${outside}:${inside}`),
      ...(setup.devices ?? []).map((device) => `--bind=${device}`),
    ],
    {
      detached: true,
      stdio: ['ignore', console_, console_],
      env: {
        PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin',
        LANG: 'C.UTF-8',
        ...machineEnv(place),
      },
    },
  )
  closeSync(console_)
  const nspawn = await new Promise<number>((resolve, reject) => {
    child.once('spawn', () => resolve(child.pid ?? 0))
    child.once('error', reject)
  })
  child.unref()
  let ended = false
  child.once('exit', () => {
    ended = true
  })
  const said = (): string => readFileSync(join(place.dir, 'console.log'), 'utf8').slice(-3000)
  const leader = await until('the machine to have a first process', () => {
    if (ended) throw new Error(`the machine ended while it booted: ${said()}`)
    return leaderOf(nspawn)
  })
  const found: MachineRecord = {
    name: place.name,
    nspawn,
    nspawn_start: identify(nspawn)?.start_time ?? '',
    leader,
    leader_start: identify(leader)?.start_time ?? '',
  }
  writeJson(recordFile(place), found)
  await until(
    'the pair of network interfaces',
    async () => (await runProgram(['ip', 'link', 'show', interfaceOf(place)])).code === 0,
  )
  if (setup.connect) await setup.connect(interfaceOf(place))
  else {
    await must(['ip', 'address', 'replace', `${place.outside}/24`, 'dev', interfaceOf(place)])
    await must(['ip', 'link', 'set', interfaceOf(place), 'up'])
  }
  await until('the machine to boot', async () => {
    if (ended) throw new Error(`the machine ended while it booted: ${said()}`)
    return ['running', 'degraded'].includes(
      (await execIn(found, ['systemctl', 'is-system-running'])).out.trim(),
    )
  })
  return found
}

/** It goes by itself after the last process. */
async function linkGone(place: Place): Promise<void> {
  await until(`${interfaceOf(place)} to go`, async () => {
    if ((await runProgram(['ip', 'link', 'show', interfaceOf(place)])).code !== 0) return true
    await runProgram(['ip', 'link', 'delete', interfaceOf(place)])
    return false
  })
}

/** Runs a program inside the machine, as root, with an environment of its own. */
export async function execIn(
  machine: MachineRecord,
  argv: readonly string[],
  options: RunOptions = {},
): Promise<Ended> {
  const env = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/root',
    LANG: 'C.UTF-8',
    ...options.env,
  }
  const inside = [
    'env',
    '-i',
    ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
    ...argv,
  ]
  const { env: _own, ...rest } = options
  return await runProgram(['nsenter', '-t', String(machine.leader), '-a', '--', ...inside], rest)
}

/** Waits until the machine has gone by itself (after a reboot or power-off command). */
export async function machineGone(machine: MachineRecord): Promise<void> {
  await until('the machine to go down', () => !alive(machine.nspawn, machine.nspawn_start))
}

/** Pulls the plug: nothing inside is notified. */
export async function cutPower(machine: MachineRecord): Promise<void> {
  if (alive(machine.leader, machine.leader_start)) process.kill(machine.leader, 'SIGKILL')
  await until(
    'the machine to be off',
    () =>
      !alive(machine.leader, machine.leader_start) && !alive(machine.nspawn, machine.nspawn_start),
  )
}

/** Takes everything of a machine away: processes, mounts, interface, files. Also of one that another process left. */
export async function removeMachine(place: Place): Promise<void> {
  const found = readJson(recordFile(place), record, 'state_invalid')
  if (found) await cutPower(found)
  const left = await endTree({ marker: marker(place) }, 0)
  if (left.length > 0)
    throw new Error(`processes of ${place.name} would not end: ${left.join(', ')}`)
  await linkGone(place)
  // What has just ended may still hold it for a moment.
  await until(
    `${merged(place)} to be unmounted`,
    async () =>
      !isMounted(merged(place)) ||
      ((await runProgram(['umount', merged(place)])).code === 0 && !isMounted(merged(place))),
  )
  rmSync(place.dir, { recursive: true, force: true, maxRetries: 5 })
}

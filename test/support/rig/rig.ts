import { request } from 'node:http'
import { dirname, join } from 'node:path'
import type { Lock } from '#ops/base/files/lock'
import { takeLock } from '#ops/base/files/lock'
import { ensureBase } from './base.ts'
import {
  createMachine,
  cutPower,
  execIn,
  machineGone,
  placeOf,
  removeMachine,
  startMachine,
  type MachineRecord,
  type MachineSetup,
  type Place,
} from './machine.ts'
import { serveOrigin, type Origin } from './origin.ts'
import { copyPackage } from './package.ts'
import { patience } from './patience.ts'
import type { Ended, RunOptions } from './programs.ts'

/** Where the tree and the machines lie, unless `OPENCLAW_RIG` names another folder. */
export const rigRoot = (): string => process.env['OPENCLAW_RIG'] ?? '/var/cache/openclaw-rig'
/** Where the machine sees the package of HQ that is tested, read-only. */
export const packageInside = '/usr/lib/openclaw-hq'

export interface RigOptions {
  readonly root?: string
  /**
   * Name and number of its network (100.64.<net>.0/24), for one that people use by hand. Without it, the first place
   * that is free.
   */
  readonly place?: { readonly name: string; readonly net: number }
  /** First half of its addresses; see `placeOf`. */
  readonly range?: string
  /** Folder of this side to copy the package of HQ from. */
  readonly package?: string
  /** Called with its file system before it first boots. @returns what it is started with besides the package */
  readonly prepare?: (place: Place) => Promise<MachineSetup>
  readonly say?: (text: string) => void
}

/** A whole aiops-1: Debian with systemd, Docker, Compose v2, its own network, and an origin that it can only read. */
export interface Rig {
  readonly place: Place
  /** The copy of the package that the machine sees read-only at `packageInside`; changing it makes another version. */
  readonly package: string
  /** Address of the machine; this side is `outside`. */
  readonly ip: string
  readonly outside: string
  readonly origin: Origin
  /** Runs a program inside, as root. */
  exec(argv: readonly string[], options?: RunOptions): Promise<Ended>
  /** The same for one that must end well. @returns its standard output */
  must(argv: readonly string[], options?: RunOptions): Promise<string>
  /** Writes a file inside, making its folder. */
  write(path: string, content: string, mode?: number): Promise<void>
  /** Path on this side of a file inside, also of what lies on its tmpfs. */
  path(inside: string): string
  /** An HTTP request to a unix socket inside. */
  request(
    socket: string,
    path: string,
    options?: SocketRequest,
  ): Promise<{ status: number; body: string }>
  /** An orderly reboot; `plug: true` cuts the power instead. */
  reboot(options?: { plug?: boolean }): Promise<void>
  /** Takes everything away. */
  down(): Promise<void>
}

export interface SocketRequest {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly seconds?: number
}

/** Boots a fresh machine; one of the same name that was left is taken away first. */
export async function bootRig({
  root = rigRoot(),
  place: named,
  range,
  package: source = process.cwd(),
  prepare = () => Promise.resolve({ binds: {} }),
  say = () => undefined,
}: RigOptions = {}): Promise<Rig> {
  const base = await baseOf(root, say)
  const { name, net, lock } = await takePlace(root, named === undefined ? testPlaces : [named])
  const place = placeOf(root, name, net, range)
  try {
    await removeMachine(place)
    await createMachine(place, base)
    const copy = join(place.dir, 'package')
    copyPackage(copy, source)
    const own = await prepare(place)
    const setup = {
      ...own,
      binds: {
        [packageInside]: copy,
        [`${packageInside}/node_modules`]: join(source, 'node_modules'),
        ...own.binds,
      },
    }
    const machine = await startMachine(place, setup)
    const origin = await serveOrigin(place)
    return handle({ place, machine, setup, origin, gone: () => lock.release() })
  } catch (error) {
    await removeMachine(place)
    lock.release()
    throw error
  }
}

/** The tree, tried again: a mirror of Debian may break off, and what it gives is checked by its signature each time. */
async function baseOf(root: string, say: (text: string) => void, tries = 3): Promise<string> {
  try {
    return await ensureBase(root, say)
  } catch (error) {
    if (tries <= 1) throw error
    say(
      'It could not be built, and is tried once more: ' +
        (error instanceof Error ? error.message.slice(-1000) : String(error)),
    )
    return await baseOf(root, say, tries - 1)
  }
}

/** Machines that tests of this computer may have up at the same time. */
const testPlaces = [1, 2, 3, 4].map((net) => ({ name: `rig-${net}`, net }))
const placeWaitMs = 1_200_000

/** Takes the first place that nobody else uses, and waits for one when there is none. */
async function takePlace(
  root: string,
  places: readonly { name: string; net: number }[],
): Promise<{ name: string; net: number; lock: Lock }> {
  for (const end = Date.now() + placeWaitMs; ;) {
    for (const { name, net } of places) {
      const lock = await takeLock(join(root, `machine-${name}.lock`), 250)
      if (lock !== null) return { name, net, lock }
    }
    if (Date.now() > end)
      throw new Error(
        `other processes have been using ${places.map(({ name }) => name).join(', ')} for 20 minutes`,
      )
  }
}

function handle({
  place,
  machine: first,
  setup,
  origin,
  gone,
}: {
  place: Place
  machine: MachineRecord
  setup: MachineSetup
  origin: Origin
  gone: () => void
}): Rig {
  let machine = first
  let served = origin
  const path = (inside: string): string => `/proc/${machine.leader}/root${inside}`
  const rig: Rig = {
    place,
    package: join(place.dir, 'package'),
    ip: place.inside,
    outside: place.outside,
    path,
    get origin() {
      return served
    },
    exec: async (argv, options) => await execIn(machine, argv, options),
    must: async (argv, options) => {
      const { code, out, err } = await rig.exec(argv, options)
      if (code !== 0)
        throw new Error(
          `in the machine, ${argv.join(' ')} ended with ${String(code)}: ${`${out}\n${err}`.trim().slice(-3000)}`,
        )
      return out
    },
    write: async (file, content, mode = 0o644) => {
      await rig.must(['mkdir', '-p', dirname(file)])
      await rig.must(['dd', 'status=none', `of=${file}`], { input: content })
      await rig.must(['chmod', mode.toString(8), file])
    },
    request: async (socket, url, options) => await requestOver(path(socket), url, options),
    reboot: async ({ plug = false } = {}) => {
      await served.close()
      if (plug) await cutPower(machine)
      else {
        await rig.exec(['systemctl', 'reboot'])
        await machineGone(machine)
      }
      machine = await startMachine(place, setup)
      served = await serveOrigin(place)
    },
    down: async () => {
      await served.close()
      await removeMachine(place)
      gone()
    },
  }
  return rig
}

function requestOver(
  socketPath: string,
  path: string,
  { method = 'GET', headers = {}, body, seconds = patience }: SocketRequest = {},
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        socketPath,
        path,
        method,
        agent: false,
        timeout: seconds * 1000,
        headers: {
          host: 'localhost',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
      },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8')
        answer.on('data', (chunk: string) => {
          text += chunk
        })
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text }))
        answer.on('error', reject)
      },
    )
    asked.on('timeout', () => asked.destroy(new Error(`no answer within ${seconds} s`)))
    asked.on('error', reject)
    asked.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

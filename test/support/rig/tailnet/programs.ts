import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { delimiter, join } from 'node:path'
import { z } from 'zod'
import { takeLock } from '#ops/base/files/lock'
import { must, whyNoRig } from '../programs.ts'
import { rigRoot } from '../rig.ts'

/** Package to the program that it becomes, and how that says its version. */
const built = {
  headscale: {
    from: 'github.com/juanfont/headscale/cmd/headscale',
    module: 'github.com/juanfont/headscale',
  },
  tailscale: { from: 'tailscale.com/cmd/tailscale', module: 'tailscale.com' },
  tailscaled: { from: 'tailscale.com/cmd/tailscaled', module: 'tailscale.com' },
} as const
type Program = keyof typeof built
const programs = Object.keys(built) as Program[]

/** The modules that they are built from, each with its digest: what is not in these two files is not used. */
const moduleFiles = ['go.mod', 'go.sum']
const folder = import.meta.dirname
const moduleText = (name: string): string => readFileSync(join(folder, name), 'utf8')
/** Oldest Go that builds them. */
const neededGo = /^go (\d+)\.(\d+)\.(\d+)$/m.exec(moduleText('go.mod'))?.slice(1).map(Number) ?? []

/** Other programs a tailnet is made with. */
const needed = ['iptables', 'openssl', 'unshare', 'curl']
const searched = [
  ...(process.env['PATH'] ?? '').split(delimiter),
  '/usr/sbin',
  '/sbin',
  '/usr/local/go/bin',
]
const find = (program: string): string | undefined =>
  searched.map((each) => join(each, program)).find((path) => existsSync(path))

/** Why no tailnet can be made here; null when it can. */
export function whyNoTailnet(): string | null {
  const why = whyNoRig()
  if (why !== null) return why
  const missing = needed.filter((program) => find(program) === undefined)
  if (missing.length > 0) return `needs ${missing.join(', ')}`
  if (!existsSync('/dev/net/tun')) return 'needs /dev/net/tun'
  const go = find('go')
  const version = go === undefined ? null : versionOf(go)
  return version !== null && isNewEnough(version) ? null : `needs Go ${neededGo.join('.')} or newer`
}

const goEnv = (): Record<string, string | undefined> => ({
  ...process.env,
  GOTOOLCHAIN: 'local',
  GOFLAGS: '-mod=readonly -buildvcs=false',
  GOWORK: 'off',
  CGO_ENABLED: '0',
})
const versionOf = (go: string): string =>
  execFileSync(go, ['env', 'GOVERSION'], { encoding: 'utf8', cwd: '/', env: goEnv() }).trim()

function isNewEnough(version: string): boolean {
  const parts = /^go(\d+)\.(\d+)(?:\.(\d+))?/
    .exec(version)
    ?.slice(1)
    .map((part) => Number(part ?? 0))
  if (!parts) return false
  const at = neededGo.findIndex((part, index) => parts[index] !== part)
  return at < 0 || (parts[at] ?? 0) > (neededGo[at] ?? 0)
}

const digests = z.record(z.enum(programs as [Program, ...Program[]]), z.string())
const digestOf = (file: string): string =>
  createHash('sha256').update(readFileSync(file)).digest('hex')

/** Are all there as they were built? */
function isWhole(place: string): boolean {
  const list = join(place, 'digests.json')
  if (!existsSync(list)) return false
  const known = digests.parse(JSON.parse(readFileSync(list, 'utf8')))
  return programs.every(
    (name) => existsSync(join(place, name)) && digestOf(join(place, name)) === known[name],
  )
}

/** Builds into an empty folder. @throws when a program is not of the version that go.mod names */
async function build(place: string, go: string): Promise<void> {
  const source = join(place, 'module')
  mkdirSync(source, { recursive: true })
  for (const name of moduleFiles) copyFileSync(join(folder, name), join(source, name))
  const env = Object.fromEntries(
    Object.entries(goEnv()).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  )
  const from = programs.map((name) => built[name].from)
  // At low priority: tests that wait for nothing of it run meanwhile.
  const compile = ['nice', '-n', '15', go, 'build', '-trimpath', '-ldflags=-s -w', '-o', place]
  await must([...compile, ...from], { env, cwd: source, seconds: 2400 })
  rmSync(source, { recursive: true })
  for (const name of programs) {
    const { module } = built[name]
    const wanted = new RegExp(`${module.replaceAll('.', String.raw`\.`)} (v\\S+)`).exec(
      moduleText('go.mod'),
    )?.[1]
    // The list of modules that the linker put into the program.
    const linked = await must([go, 'version', '-m', join(place, name)], { env })
    if (!linked.includes(`\t${module}\t${wanted}\t`))
      throw new Error(`${name} was not built from ${module} ${wanted}`)
  }
  writeFileSync(
    join(place, 'digests.json'),
    JSON.stringify(Object.fromEntries(programs.map((name) => [name, digestOf(join(place, name))]))),
  )
}

/**
 * tailscale, tailscaled and headscale. Built once, in about six minutes of one core; a change of the module files or
 * another Go builds them again, and only the newest are kept.
 * @returns their folder, which nobody may change
 * @throws when they cannot be built, with what Go says
 */
export async function tailnetPrograms(say: (text: string) => void): Promise<string> {
  const go = find('go')
  if (go === undefined) throw new Error('there is no Go on this machine')
  const root = rigRoot()
  const key = createHash('sha256')
  for (const name of moduleFiles) key.update(moduleText(name))
  const name = `tailnet-${key.update(versionOf(go)).digest('hex').slice(0, 16)}`
  const place = join(root, name)
  const lock = await takeLock(join(root, 'tailnet.lock'), 2_400_000)
  if (lock === null) throw new Error(`another process has been building ${place} for 40 minutes`)
  try {
    if (isWhole(place)) return place
    say('Building Tailscale and headscale (once, about six minutes)')
    for (const old of readdirSync(root).filter((each) => each.startsWith('tailnet-')))
      rmSync(join(root, old), { recursive: true, force: true })
    const building = join(root, 'tailnet-building')
    await build(building, go)
    renameSync(building, place)
    return place
  } finally {
    lock.release()
  }
}

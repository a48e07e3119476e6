// Named volumes: the driver `local` can mount any file system and any folder of the host.
import type { JudgedKey } from './keys.ts'
import type { ComposeVolume } from './model.ts'
import type { EntryCase, EntryRule } from './rule.ts'

type VolumeCase = EntryCase<ComposeVolume>

const knownOptions: ReadonlySet<string> = new Set(['type', 'o', 'device', 'size'])
/** Options of mount(8) that open nothing, of every file system and of tmpfs. */
const harmlessFlags =
  /^(?:bind|rbind|none|ro|rw|noexec|nosuid|nodev|noatime|nodiratime|relatime|sync|async|dirsync|r?private)$/
const memoryOptions = /^(?:size|mode|uid|gid|nr_inodes|nr_blocks)=[0-9a-z%]+$/i

interface Mount {
  readonly type: string
  readonly device: string
  readonly flags: readonly string[]
  readonly unknown: readonly string[]
}

function mountOf({ driver_opts }: ComposeVolume): Mount | null {
  const names = Object.keys(driver_opts)
  if (names.length === 0) return null
  const value = (name: string): string => String(driver_opts[name] ?? '').trim()
  const flags = value('o')
    .split(',')
    .map((flag) => flag.trim())
    .filter((flag) => flag !== '')
  return {
    type: value('type'),
    device: value('device'),
    flags,
    unknown: [
      ...names.filter((name) => !knownOptions.has(name)),
      ...flags.filter((flag) => !harmlessFlags.test(flag) && !memoryOptions.test(flag)),
    ],
  }
}

function judgeMountOptions({ name, entry, readOnly, report, judgeSource }: VolumeCase): void {
  const mount = mountOf(entry)
  if (mount === null) return
  const { type, device, flags, unknown } = mount
  const at = 'driver_opts'
  const isFolder = [type, ...flags].some((each) => ['bind', 'rbind', 'none'].includes(each))
  const special = (subject: string, detail: string): void =>
    report({ code: 'special_volume', at, subject, detail })
  if (isFolder && device !== '')
    // A folder of the host in disguise: it is judged like a bind mount.
    judgeSource({ path: device, readOnly: readOnly || flags.includes('ro'), at })
  else if (device.startsWith('/dev/')) {
    const detail = `mounts the device ${device} of the host`
    return report({ code: 'device', at, subject: device, detail })
  } else if (type !== 'tmpfs' && (type !== '' || device !== '')) {
    const what = `${type} ${device}`.trim()
    return special(what, `has the host mount ${JSON.stringify(what)} as its volume ${name}`)
  }
  for (const option of unknown)
    special(option, `has the host mount its volume ${name} with the option ${option}`)
}

export const volumeRules: Record<JudgedKey<'volume'>, EntryRule<ComposeVolume>> = {
  driver: ({ name, entry: { driver }, report }) => {
    if (driver !== '' && driver !== 'local')
      report({
        code: 'foreign_driver',
        at: 'driver',
        subject: driver,
        detail: `has its volume ${name} made by the driver ${driver}, a program of the host`,
      })
  },
  driver_opts: (at) => {
    if (at.entry.driver === '' || at.entry.driver === 'local') judgeMountOptions(at)
  },
}

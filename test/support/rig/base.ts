import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  copyFileSync,
  utimesSync,
} from 'node:fs'
import { join } from 'node:path'
import { takeLock } from '#ops/base/files/lock'
import { must } from './programs.ts'

const suite = 'bookworm'
const packages = [
  'systemd',
  'systemd-sysv',
  'dbus',
  'git',
  'iproute2',
  'ca-certificates',
  'curl',
  'procps',
  'docker.io',
  'iptables',
  'nftables',
  'kmod',
]
/**
 * Compose v2 is not in bookworm: one program of the next suite is taken out of its package, nothing is installed from
 * it.
 */
const compose = {
  suite: 'trixie',
  package: 'docker-compose',
  program: 'usr/libexec/docker/cli-plugins/docker-compose',
}

/**
 * nspawn lays a boot id of its own over the kernel's, and a service with ProtectKernelTunables= loses it again: without
 * this a reboot of the machine would look like none to hostd and the runner.
 */
const bootIdDropIn =
  '[Service]\nBindReadOnlyPaths=/run/rig-boot-id:/proc/sys/kernel/random/boot_id\n'

/** Docker needs the cgroups writable, and the veth pair its address, before anything of the host starts. */
const rigUnit = `[Unit]
Description=What a machine in a container lacks: writable cgroups, an address
DefaultDependencies=no
After=local-fs.target
Before=sysinit.target docker.service containerd.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/rig-prepare

[Install]
WantedBy=sysinit.target
`
const rigPrepare = `#!/bin/sh
set -eu
cat /proc/sys/kernel/random/boot_id > /run/rig-boot-id
for name in blkio cpu cpuacct cpuset devices freezer memory pids; do
  if mountpoint -q "/sys/fs/cgroup/$name"; then mount -o remount,bind,rw "/sys/fs/cgroup/$name"; fi
done
. /etc/rig-address
ip link set lo up
ip addr replace "$ADDRESS/24" dev host0
ip link set host0 up
ip route replace default via "$GATEWAY"
`

/** Where the machine's own package manager gets Debian from: address and nothing else. */
async function mirrorOf(wanted: string): Promise<string> {
  const targets = await must([
    'apt-get',
    'indextargets',
    '--format',
    '$(REPO_URI) $(RELEASE) $(COMPONENT)',
    'Created-By: Packages',
  ])
  const found = targets
    .split('\n')
    .map((line) => line.split(' '))
    .find(([, release, component]) => release === wanted && component === 'main')
  if (!found?.[0])
    throw new Error(
      `the package manager of this machine knows no Debian ${wanted}: the rig is built from it`,
    )
  return found[0]
}

/** Takes Compose out of the next suite, in an apt configuration of its own that leaves the machine's alone. */
async function fetchCompose(into: string, mirror: string): Promise<void> {
  const dir = `${into}-compose`
  rmSync(dir, { recursive: true, force: true })
  for (const folder of ['state/lists/partial', 'cache/archives/partial', 'parts', 'unpacked'])
    mkdirSync(join(dir, folder), { recursive: true })
  chmodSync(dir, 0o755)
  try {
    writeFileSync(join(dir, 'status'), '')
    writeFileSync(
      join(dir, 'sources.list'),
      `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror} ${compose.suite} main\n`,
    )
    writeFileSync(
      join(dir, 'apt.conf'),
      [
        `Dir::State "${dir}/state"; Dir::State::status "${dir}/status"; Dir::Cache "${dir}/cache";`,
        `Dir::Etc::sourcelist "${dir}/sources.list"; Dir::Etc::sourceparts "${dir}/parts"; ` +
          `Dir::Etc::preferencesparts "${dir}/parts";`,
        'APT::Sandbox::User "root"; Acquire::Check-Valid-Until "false";',
      ].join('\n'),
    )
    const env = {
      PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: '/root',
      LANG: 'C.UTF-8',
      APT_CONFIG: join(dir, 'apt.conf'),
    }
    await must(['apt-get', 'update', '-q'], { env, cwd: dir, seconds: 300 })
    await must(['apt-get', 'download', '-q', compose.package], { env, cwd: dir, seconds: 300 })
    const archive = readdirSync(dir).find((name) => name.endsWith('.deb'))
    if (!archive) throw new Error(`${compose.package} was not downloaded`)
    await must(['dpkg-deb', '-x', join(dir, archive), join(dir, 'unpacked')])
    const plugins = join(into, 'usr/libexec/docker/cli-plugins')
    mkdirSync(plugins, { recursive: true })
    copyFileSync(join(dir, 'unpacked', compose.program), join(plugins, 'docker-compose'))
    chmodSync(join(plugins, 'docker-compose'), 0o755)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function build(tree: string): Promise<void> {
  const mirror = await mirrorOf(suite)
  await must(
    ['debootstrap', '--variant=minbase', `--include=${packages.join(',')}`, suite, tree, mirror],
    { seconds: 600 },
  )
  await fetchCompose(tree, mirror)
  rmSync(join(tree, 'var/cache/apt/archives'), { recursive: true, force: true })
  writeFileSync(join(tree, 'usr/local/sbin/rig-prepare'), rigPrepare, { mode: 0o755 })
  writeFileSync(join(tree, 'etc/systemd/system/rig.service'), rigUnit)
  mkdirSync(join(tree, 'etc/systemd/system/openclaw-.service.d'))
  writeFileSync(join(tree, 'etc/systemd/system/openclaw-.service.d/rig.conf'), bootIdDropIn)
  const wants = join(tree, 'etc/systemd/system/sysinit.target.wants')
  mkdirSync(wants, { recursive: true })
  symlinkSync('/etc/systemd/system/rig.service', join(wants, 'rig.service'))
  // Timers and services of the distribution that would reach out, or wait for what a container does not have.
  for (const unit of [
    'apt-daily.timer',
    'apt-daily-upgrade.timer',
    'systemd-networkd-wait-online.service',
    'getty@tty1.service',
    'console-getty.service',
  ]) {
    rmSync(join(tree, 'etc/systemd/system', unit), { force: true })
    symlinkSync('/dev/null', join(tree, 'etc/systemd/system', unit))
  }
  // Every machine made from the tree gets an identity of its own when it first boots.
  writeFileSync(join(tree, 'etc/machine-id'), '')
}

/**
 * The tree every rig starts from: Debian with systemd, Docker and Compose. Built once; a change of this file builds it
 * again, and only the newest is kept (about 700 MB).
 * @param say progress, for a person who waits two minutes
 * @returns its folder, which nobody may change
 */
export async function ensureBase(root: string, say: (text: string) => void): Promise<string> {
  const key = createHash('sha256')
    .update(readFileSync(import.meta.filename))
    .update(process.arch)
    .digest('hex')
    .slice(0, 16)
  const tree = join(root, `base-${key}`)
  mkdirSync(root, { recursive: true })
  const lock = await takeLock(join(root, 'base.lock'), 900_000)
  if (lock === null) throw new Error(`another process has been building ${tree} for 15 minutes`)
  try {
    if (existsSync(tree)) {
      const now = new Date()
      utimesSync(tree, now, now)
    } else {
      say('Building aiops-1 (once, about two minutes)')
      const building = join(root, 'building')
      rmSync(building, { recursive: true, force: true })
      await build(building)
      renameSync(building, tree)
    }
    const mounts = readFileSync('/proc/mounts', 'utf8')
    for (const name of readdirSync(root).filter(
      (each) => each.startsWith('base-') && each !== `base-${key}`,
    )) {
      if (!mounts.includes(join(root, name)))
        rmSync(join(root, name), { recursive: true, force: true })
    }
    return tree
  } finally {
    lock.release()
  }
}

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { say } from './paths.mjs'

/** Program to Debian package. Docker and Compose are missing here: they run in the machine that the rig builds. */
const rigTools = {
  strace: 'strace',
  prlimit: 'util-linux',
  mount: 'mount',
  git: 'git',
  debootstrap: 'debootstrap',
  'systemd-nspawn': 'systemd-container',
  'systemd-analyze': 'systemd',
  nsenter: 'util-linux',
  ip: 'iproute2',
  dovecot: 'dovecot-imapd',
  unzip: 'unzip',
  'dbus-daemon': 'dbus',
  gdbus: 'libglib2.0-bin',
  'gnome-keyring-daemon': 'gnome-keyring',
}

const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']
const installed = (program) => folders.some((folder) => existsSync(join(folder, program)))

/** A screen for windows that tests open, and what fetches files in Git LFS. */
const testTools = { Xvfb: 'xvfb', 'git-lfs': 'git-lfs' }

/** Installs what the rig tests need, when we may. What is still missing is a skip that names it. */
export const installRigTools = () => install({ ...rigTools, ...testTools })

/** The same for all other tests. */
export const installTestTools = () => install(testTools)

function install(tools) {
  const missing = Object.keys(tools).filter((program) => !installed(program))
  if (
    missing.length === 0 ||
    process.platform !== 'linux' ||
    process.getuid?.() !== 0 ||
    !existsSync('/usr/bin/apt-get')
  )
    return
  say(`Installing for the tests: ${missing.join(', ')}`)
  const options = {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  }
  spawnSync('apt-get', ['update', '-qq'], options)
  spawnSync(
    'apt-get',
    [
      'install',
      '-y',
      '-qq',
      '--no-install-recommends',
      ...new Set(missing.map((program) => tools[program])),
    ],
    options,
  )
}

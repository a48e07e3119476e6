import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { say } from './place.mjs'

/** Program to Debian package. */
const tools = { strace: 'strace', prlimit: 'util-linux', mount: 'mount', git: 'git' }

const inPath = (program) => (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)))

/** Installs what the rig tests need, when we may. What is still missing is a skip that names it. */
export function installRigTools() {
  const missing = Object.keys(tools).filter((program) => !inPath(program))
  if (missing.length === 0 || process.platform !== 'linux' || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return
  say(`Installing for the rig tests: ${missing.join(', ')}`)
  const options = { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }
  spawnSync('apt-get', ['update', '-qq'], options)
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing.map((program) => tools[program])], options)
}

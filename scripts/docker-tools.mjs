// Docker for the rig tests, from Debian's own archive. Plain JavaScript for Node 20 and newer, like all of scripts.
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { say } from './paths.mjs'

/** Searched by every Docker client, whatever its HOME. */
const pluginFolder = '/usr/local/lib/docker/cli-plugins'
/** Suites whose own docker-compose is still the first version, and the suite that has the second. */
const nextSuite = { bullseye: 'trixie', bookworm: 'trixie' }

const quiet = {
  stdio: ['ignore', 'ignore', 'inherit'],
  env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
}
const works = (program, args) => spawnSync(program, args, { stdio: 'ignore' }).status === 0
const apt = (args) => spawnSync('apt-get', args, quiet).status === 0

/** Is the second version of Compose there, whatever installed it? */
const hasCompose = () => works('docker', ['compose', 'version', '--format', 'json'])

function codename() {
  const line = readFileSync('/etc/os-release', 'utf8')
    .split('\n')
    .find((each) => each.startsWith('VERSION_CODENAME='))
  return line?.slice('VERSION_CODENAME='.length).replaceAll('"', '') ?? ''
}

/**
 * The machine's own sources of `suite`, in both of apt's formats, with the suite changed. Sources of other suites
 * (security, other vendors) are left out.
 * @param {string} folder apt's folder, /etc/apt
 * @returns {string} one-line sources
 */
export function sourcesOf(folder, suite, wanted) {
  const listFolder = join(folder, 'sources.list.d')
  const files = [
    join(folder, 'sources.list'),
    ...(existsSync(listFolder)
      ? readdirSync(listFolder).map((name) => join(listFolder, name))
      : []),
  ].filter((path) => existsSync(path))
  return files
    .flatMap((path) => {
      const text = readFileSync(path, 'utf8')
      if (path.endsWith('.list'))
        return text
          .split('\n')
          .filter((line) => line.startsWith('deb ') && line.split(/\s+/).includes(suite))
          .map((line) => line.replace(new RegExp(`(\\s)${suite}(\\s)`), `$1${wanted}$2`))
      if (!path.endsWith('.sources')) return []
      return text.split(/\n\s*\n/).flatMap((block) => {
        const field = (name) => new RegExp(`^${name}:\\s*(.+)$`, 'mi').exec(block)?.[1]?.trim()
        if (
          !field('Types')?.split(/\s+/).includes('deb') ||
          !field('Suites')?.split(/\s+/).includes(suite)
        )
          return []
        const signed = field('Signed-By')
        return (field('URIs') ?? '')
          .split(/\s+/)
          .map((uri) => `deb ${signed ? `[signed-by=${signed}] ` : ''}${uri} ${wanted} main`)
      })
    })
    .map((line) => `${line}\n`)
    .join('')
}

/**
 * Unpacks docker-compose of a later suite, and nothing else of that suite: apt works there with a configuration, lists
 * and a package status of its own, and nothing is installed by dpkg.
 */
function unpackCompose(suite, wanted) {
  const place = mkdtempSync(join(tmpdir(), 'compose-plugin-'))
  try {
    for (const folder of ['state/lists/partial', 'cache/archives/partial', 'parts'])
      mkdirSync(join(place, folder), { recursive: true })
    writeFileSync(join(place, 'status'), '')
    writeFileSync(join(place, 'sources.list'), sourcesOf('/etc/apt', suite, wanted))
    writeFileSync(
      join(place, 'apt.conf'),
      [
        `Dir::Etc::SourceList "${join(place, 'sources.list')}";`,
        `Dir::Etc::SourceParts "${join(place, 'parts')}";`,
        `Dir::State "${join(place, 'state')}";`,
        `Dir::State::status "${join(place, 'status')}";`,
        `Dir::Cache "${join(place, 'cache')}";`,
        'APT::Sandbox::User "root";',
        '',
      ].join('\n'),
    )
    const own = ['-qq', '-o', `Dir::State::Lists=${join(place, 'state', 'lists')}`]
    const configured = {
      ...quiet,
      cwd: place,
      env: { ...quiet.env, APT_CONFIG: join(place, 'apt.conf') },
    }
    if (spawnSync('apt-get', [...own, 'update'], configured).status !== 0) return
    if (spawnSync('apt-get', [...own, 'download', 'docker-compose'], configured).status !== 0)
      return
    const archive = readdirSync(place).find(
      (name) => name.startsWith('docker-compose_') && name.endsWith('.deb'),
    )
    if (!archive || !works('dpkg-deb', ['-x', join(place, archive), join(place, 'tree')])) return
    mkdirSync(pluginFolder, { recursive: true })
    cpSync(
      join(place, 'tree/usr/libexec/docker/cli-plugins/docker-compose'),
      join(pluginFolder, 'docker-compose'),
    )
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

/** Program to Debian package. */
const packages = { dockerd: 'docker.io', iptables: 'iptables', nft: 'nftables' }

/** Installs Docker, iptables, nft and Compose when we may. What is still missing is a skip that names it. */
export function installDockerTools() {
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get'))
    return
  const inPath = (program) =>
    (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, program)))
  const missing = Object.keys(packages)
    .filter((program) => !inPath(program))
    .map((program) => packages[program])
  if (missing.length > 0) {
    say(`Installing for the rig tests: ${missing.join(', ')}`)
    // The service is not started: the tests run a Docker of their own.
    apt(['update', '-qq'])
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], {
      ...quiet,
      env: { ...quiet.env, RUNLEVEL: '1' },
    })
  }
  if (hasCompose()) return
  say('Installing for the rig tests: the Compose plugin')
  const suite = codename()
  const wanted = nextSuite[suite]
  if (wanted === undefined)
    apt(['install', '-y', '-qq', '--no-install-recommends', 'docker-compose'])
  else unpackCompose(suite, wanted)
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  installDockerTools()

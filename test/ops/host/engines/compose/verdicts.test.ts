import { describe, expect, it } from 'vitest'
import type { ExistingEntry } from '#ops/host/engines/compose/existing'
import { judgeComposeModel, type JudgeOptions } from '#ops/host/engines/compose/judge'
import { composeModel } from '#ops/host/engines/compose/model'

type Fragment = Readonly<Record<string, unknown>>
type Row = readonly [what: string, fragment: Fragment, verdict: string]

/** HQ's folders on an installed host, and one version of the project. */
const folder = '/var/lib/hq/builds/1'
const options: JudgeOptions = {
  folder,
  mounts: {
    secret: ['/var/lib/hq', '/opt/hq/etc', '/opt/hq/clone/.git', '/run/openclaw'],
    readOnly: ['/opt/hq/clone/artifacts'],
    open: ['/run/openclaw/public', folder],
    sockets: ['/opt/engine/api.sock'],
  },
}
const model = (service: Fragment, file: Fragment = {}) =>
  composeModel.parse({ name: 'shop', services: { web: { image: 'web', ...service } }, ...file })
const verdict = (fragment: ReturnType<typeof model>, more: JudgeOptions = {}): string =>
  [...new Set(judgeComposeModel(fragment, { ...options, ...more }).open.map(({ code }) => code))]
    .toSorted()
    .join('+') || 'accepted'

const bind = (source: string, more: Fragment = {}): Fragment => ({
  volumes: [{ type: 'bind', source, target: '/x', ...more }],
})
const build = (more: Fragment): Fragment => ({ build: { context: folder, ...more } })

const services: readonly Row[] = [
  // What has always been accepted.
  ['labels', { labels: { a: 'b' } }, 'accepted'],
  ['a health check', { healthcheck: { test: ['CMD', 'true'], interval: '1s' } }, 'accepted'],
  ['a dependency', { depends_on: { db: { condition: 'service_started' } } }, 'accepted'],
  ['a port on loopback', { ports: [{ host_ip: '127.0.0.1', target: 80 }] }, 'accepted'],
  ['limits', { deploy: { resources: { limits: { cpus: 0.5, memory: '5' } } } }, 'accepted'],
  ['an extension', { 'x-note': { privileged: true } }, 'accepted'],
  ['watch for development', { develop: { watch: [{ path: '/', action: 'sync' }] } }, 'accepted'],
  ['settings that are off', { privileged: false, use_api_socket: false, gpus: null }, 'accepted'],
  ['an anonymous volume', { volumes: [{ type: 'volume', target: '/x' }] }, 'accepted'],

  // Namespaces.
  ['its own IPC', { ipc: 'private' }, 'accepted'],
  ['the IPC of another service', { ipc: 'service:db' }, 'accepted'],
  ['the processes of a container', { pid: 'container:db' }, 'host_namespace'],
  ['the name of the host', { uts: 'host' }, 'host_namespace'],
  ['the control groups of the host', { cgroup: 'host' }, 'host_namespace'],
  ['a mode of users that is not known', { userns_mode: 'keep-id' }, 'host_namespace'],
  ['a network by its name', { network_mode: 'proxy' }, 'container_network'],
  ['no network', { network_mode: 'none' }, 'accepted'],

  // Power.
  ['privileged', { privileged: true }, 'privileged'],
  ['a capability of memory', { cap_add: ['IPC_LOCK'] }, 'accepted'],
  ['a capability of a newer kernel', { cap_add: ['CAP_NEW_THING'] }, 'dangerous_capability'],
  ['no new privileges', { security_opt: ['no-new-privileges'] }, 'accepted'],
  ['an own seccomp profile', { security_opt: ['seccomp=./open.json'] }, 'weakened_isolation'],
  ['an own AppArmor profile', { security_opt: ['apparmor:mine'] }, 'weakened_isolation'],
  ['labels off', { security_opt: ['label:disable'] }, 'weakened_isolation'],
  ['a label of the host', { security_opt: ['label=type:spc_t'] }, 'weakened_isolation'],
  ['system paths shown', { security_opt: ['systempaths=unconfined'] }, 'weakened_isolation'],
  ['a sysctl of its network', { sysctls: { 'net.core.somaxconn': '1024' } }, 'accepted'],
  ['a sysctl of the kernel', { sysctls: { 'kernel.core_pattern': '|/x' } }, 'kernel_setting'],
  ['a sysctl in a list', { sysctls: ['vm.overcommit_memory=1'] }, 'kernel_setting'],
  ['a sysctl with slashes', { sysctls: { 'kernel/modprobe': '/x' } }, 'kernel_setting'],
  ['a note for people', { annotations: { 'org.opencontainers.image.title': 'x' } }, 'accepted'],
  [
    'an annotation that systemd obeys',
    { annotations: { 'org.systemd.property.Slice': "'x'" } },
    'weakened_isolation',
  ],
  ['a device by CDI', { devices: [{ source: 'nvidia.com/gpu=all' }] }, 'device'],
  ['graphics processors', { gpus: 'all' }, 'device'],
  [
    'reserved devices',
    { deploy: { resources: { reservations: { devices: [{ capabilities: ['gpu'] }] } } } },
    'device',
  ],
  ['a privileged last command', { pre_stop: [{ command: 'x', privileged: true }] }, 'privileged'],
  ['a harmless last command', { pre_stop: [{ command: 'x', user: 'root' }] }, 'accepted'],
  ['a container before it', { pre_start: [{ command: 'x', image: 'y' }] }, 'unknown_setting'],
  ['another runtime', { runtime: 'kata' }, 'unknown_setting'],
  ['a control group by name', { cgroup_parent: '/system.slice' }, 'unknown_setting'],
  ['an account of the host', { credential_spec: { file: 'x.json' } }, 'unknown_setting'],
  ['a language model', { models: { llm: null } }, 'unknown_setting'],
  ['a provider', { provider: { type: 'x' } }, 'build_host_access'],
  ['the socket of the engine', { use_api_socket: true }, 'docker_socket'],
  ['a log in files', { logging: { driver: 'json-file', options: { x: '1' } } }, 'accepted'],
  ['a log sent elsewhere', { logging: { driver: 'gelf' } }, 'foreign_driver'],
  ['a log plugin', { logging: { driver: 'grafana/loki:latest' } }, 'foreign_driver'],

  // Folders and files of the host.
  ['L2: a folder of the version', bind(`${folder}/data`), 'data_in_version'],
  ['L2: the whole version', bind(folder), 'data_in_version'],
  ['a folder of the version to read', bind(`${folder}/static`, { read_only: true }), 'accepted'],
  ['a folder for data', bind('/srv/shop/data'), 'accepted'],
  ['a disk', bind('/mnt/disk1/uploads'), 'accepted'],
  ['time', bind('/etc/localtime', { read_only: true }), 'accepted'],
  ['proof to read', bind('/opt/hq/clone/artifacts', { read_only: true }), 'accepted'],
  ['proof to write', bind('/opt/hq/clone/artifacts'), 'host_mount'],
  [
    'proof to read, submounts writable',
    bind('/opt/hq/clone/artifacts', { read_only: true, bind: { recursive: 'writable' } }),
    'host_mount',
  ],
  ['a home', bind('/home/anna/data', { read_only: true }), 'host_mount'],
  ['all homes', bind('/home'), 'host_mount'],
  ['the .git of the clone', bind('/opt/hq/clone/.git'), 'host_mount'],
  ['the clone', bind('/opt/hq/clone'), 'host_mount'],
  ['the hooks of another clone', bind('/srv/other/.git/hooks'), 'host_mount'],
  ["HQ's state", bind('/var/lib/hq/index'), 'host_mount'],
  ['all versions', bind('/var/lib/hq/builds'), 'host_mount'],
  ['another version', bind('/var/lib/hq/builds/2'), 'host_mount'],
  ["HQ's keys", bind('/opt/hq/etc/secrets', { read_only: true }), 'host_mount'],
  ["the runner's socket", bind('/run/openclaw/runner.sock'), 'host_mount'],
  ["hostd's public socket", bind('/run/openclaw/public'), 'accepted'],
  ['the journal', bind('/var/log/journal', { read_only: true }), 'host_mount'],
  ['the kubelet', bind('/var/lib/kubelet'), 'host_mount'],
  ['the data of Docker', bind('/var/lib/docker/volumes', { read_only: true }), 'host_mount'],
  ['the socket of Docker', bind('/run/docker.sock'), 'docker_socket'],
  ['the socket of another engine', bind('/srv/x/cri-dockerd.sock'), 'docker_socket'],
  ['the socket that HQ uses', bind('/opt/engine'), 'docker_socket'],
  ['programs of the host', bind('/opt/agent'), 'host_mount'],
  ['data of another program', bind('/var/lib/postgresql'), 'host_mount'],
  ['shared mounts', bind('/srv/x', { bind: { propagation: 'rshared' } }), 'host_mount'],
  ['a kind of mount that is not known', { volumes: [{ type: 'cluster' }] }, 'unknown_setting'],
  ['a file of its environment', { env_file: [{ path: '/root/.env' }] }, 'host_mount'],
  ['a file of its labels', { label_file: '/home/anna/labels' }, 'host_mount'],

  // Builds.
  ['a folder of the version to build', build({}), 'accepted'],
  ['a stage and arguments', build({ target: 'x', args: { A: 'b' }, labels: {} }), 'accepted'],
  ['other images', build({ additional_contexts: { a: 'docker-image://x' } }), 'accepted'],
  ['a git address', { build: { context: 'https://x.example/a.git' } }, 'unreviewed_source'],
  ['a git address by ssh', { build: { context: 'git@x.example:a/b.git' } }, 'unreviewed_source'],
  ['a short git address', { build: { context: 'github.com/a/b' } }, 'unreviewed_source'],
  ['an archive', { build: { context: 'http://x.example/a.tar' } }, 'unreviewed_source'],
  [
    'a further git address',
    build({ additional_contexts: { a: 'ssh://x.example/a' } }),
    'unreviewed_source',
  ],
  [
    'images in a folder',
    build({ additional_contexts: { a: 'oci-layout:///srv/x' } }),
    'unreviewed_source',
  ],
  ['a folder outside of the version', { build: { context: '/srv/x' } }, 'unreviewed_source'],
  ['a Dockerfile of the version', build({ dockerfile: 'web/Dockerfile' }), 'accepted'],
  ['a Dockerfile of the host', build({ dockerfile: '/etc/shadow' }), 'host_mount'],
  ['a Dockerfile beside the version', build({ dockerfile: '../2/x' }), 'host_mount'],
  ['keys of ssh', build({ ssh: ['default'] }), 'build_host_access'],
  ['a cache from a registry', build({ cache_from: ['web:latest'] }), 'accepted'],
  ['a cache from a folder', build({ cache_from: ['type=local,src=/x'] }), 'build_host_access'],
  ['a cache to a folder', build({ cache_to: ['dest=/x,type=local'] }), 'build_host_access'],
  ['a cache to a registry', build({ cache_to: ['x.example/a'] }), 'build_host_access'],
  ['a cache in the image', build({ cache_to: ['type=inline'] }), 'accepted'],
  ['a privileged build', build({ privileged: true }), 'build_host_access'],
  ['entitlements', build({ entitlements: ['security.insecure'] }), 'build_host_access'],
  ['the network of the host', build({ network: 'host' }), 'build_host_access'],
  ['the network of a container', build({ network: 'container:x' }), 'build_host_access'],
  ['no network', build({ network: 'none' }), 'accepted'],
  ['other hosts', build({ extra_hosts: ['a=host-gateway'] }), 'build_host_access'],
  ['other hosts in a map', build({ extra_hosts: { a: '1.2.3.4' } }), 'build_host_access'],
  ['further names', build({ tags: ['node:24'] }), 'build_host_access'],
]

const usesVolume = { volumes: [{ type: 'volume', source: 'data', target: '/x' }] }
const mounted = (type: string, device: string, o = ''): Fragment => ({
  driver: 'local',
  driver_opts: { type, device, o },
})
const volumes: readonly Row[] = [
  ['nothing', {}, 'accepted'],
  ['the driver local', { driver: 'local', labels: { a: 'b' } }, 'accepted'],
  ['memory', mounted('tmpfs', 'tmpfs', 'size=64m,uid=1000'), 'accepted'],
  ['a quota', { driver_opts: { size: '10g' } }, 'accepted'],
  ['a folder for data', mounted('none', '/srv/shop', 'bind'), 'accepted'],
  ['L2: a folder of the version', mounted('none', `${folder}/data`, 'bind'), 'data_in_version'],
  ['the processes of the host', mounted('proc', 'proc'), 'special_volume'],
  ['the kernel of the host', mounted('sysfs', 'sysfs'), 'special_volume'],
  ['the settings under an overlay', mounted('overlay', 'o', 'lowerdir=/etc'), 'special_volume'],
  ['a share', mounted('nfs', ':/x', 'addr=10.0.0.1'), 'special_volume'],
  ['a share of Windows', mounted('cifs', '//10.0.0.1/x'), 'special_volume'],
  ['devices', mounted('devtmpfs', 'dev'), 'special_volume'],
  ['a disk', mounted('ext4', '/dev/sda1'), 'device'],
  ['a home', mounted('none', '/home/anna', 'bind,ro'), 'host_mount'],
  ['a home as memory', mounted('tmpfs', '/home/anna', 'rbind'), 'host_mount'],
  ['the socket of Docker', mounted('', '/var/run', 'bind'), 'docker_socket'],
  ['shared mounts', mounted('none', '/srv/x', 'bind,shared'), 'special_volume'],
  ['an option that is not known', { driver_opts: { new: '1' } }, 'special_volume'],
  ['a plugin', { driver: 'vieux/sshfs' }, 'foreign_driver'],
]

const network = (options: Fragment): Fragment => ({ driver: 'bridge', driver_opts: options })
const bridge = 'com.docker.network.bridge'
const networks: readonly Row[] = [
  ['nothing', {}, 'accepted'],
  ['no way out', { internal: true, enable_ipv6: true }, 'accepted'],
  ['a size of packets', network({ 'com.docker.network.driver.mtu': 1400 }), 'accepted'],
  ['addresses', { ipam: { config: [{ subnet: '10.5.0.0/24' }] } }, 'accepted'],
  ['isolation', network({ [`${bridge}.gateway_mode_ipv4`]: 'isolated' }), 'accepted'],
  ['routes', network({ [`${bridge}.gateway_mode_ipv6`]: 'nat-unprotected' }), 'lan_network'],
  ['trusted interfaces', network({ [`${bridge}.trusted_host_interfaces`]: 'eth0' }), 'lan_network'],
  ['the default bridge', network({ [`${bridge}.name`]: 'docker0' }), 'accepted'],
  ['a bridge of the host', network({ [`${bridge}.name`]: 'br0' }), 'lan_network'],
  ['an option that is not known', network({ new: 1 }), 'lan_network'],
  ['the local network', { driver: 'ipvlan' }, 'lan_network'],
  ['other machines', { driver: 'overlay' }, 'lan_network'],
  ['a plugin', { driver: 'weaveworks/net-plugin' }, 'foreign_driver'],
  ['addresses by a plugin', { ipam: { driver: 'infoblox' } }, 'foreign_driver'],
  ['addresses by options', { ipam: { options: { a: 'b' } } }, 'unknown_setting'],
  ['public addresses', { ipam: { config: [{ subnet: '8.8.8.0/24' }] } }, 'lan_network'],
  ['the tailnet', { ipam: { config: [{ subnet: '100.64.0.0/16' }] } }, 'lan_network'],
  ['the tailnet over IPv6', { ipam: { config: [{ subnet: 'fd7a:115c::/32' }] } }, 'lan_network'],
  ['metadata of a cloud', { ipam: { config: [{ subnet: '169.254.0.0/16' }] } }, 'lan_network'],
]

const files: readonly Row[] = [
  ['a note', { 'x-note': {} }, 'accepted'],
  ['a secret of the environment', { secrets: { a: { environment: 'A' } } }, 'accepted'],
  ['a config in the file', { configs: { a: { content: 'x' } } }, 'accepted'],
  ['a secret by a plugin', { secrets: { a: { driver: 'vault' } } }, 'foreign_driver'],
  ['a config from elsewhere', { configs: { a: { external: true } } }, 'unknown_setting'],
  ['a language model', { models: { a: { model: 'x' } } }, 'unknown_setting'],
  ['a file not included', { include: ['https://x.example/a.git'] }, 'unknown_setting'],
]

describe('G10 the judge of compose files', () => {
  it.each(services)('service with %s', (_what, fragment, expected) => {
    expect(verdict(model(fragment))).toBe(expected)
  })
  it.each(volumes)('named volume with %s', (_what, data, expected) => {
    expect(verdict(model(usesVolume, { volumes: { data } }))).toBe(expected)
    // An entry that no service uses is judged too.
    expect(verdict(model({}, { volumes: { data } }))).toBe(expected)
  })
  it.each(networks)('network with %s', (_what, back, expected) => {
    expect(verdict(model({ networks: { back: null } }, { networks: { back } }))).toBe(expected)
    expect(verdict(model({}, { networks: { back } }))).toBe(expected)
  })
  it.each(files)('file with %s', (_what, fragment, expected) => {
    expect(verdict(model({}, fragment))).toBe(expected)
  })

  it('judges an option of one connection to a network', () => {
    const joins = { networks: { back: { driver_opts: { new: '1' } } } }
    expect(verdict(model(joins, { networks: { back: {} } }))).toBe('lan_network')
  })

  it('follows links: a file below one, a missing folder below one, one that leads in a circle', () => {
    const resolvePath = (path: string): string => {
      if (path === '/srv/circle') throw new Error('ELOOP')
      return path.replace(/^\/srv\/link/, '/etc').replace(`${folder}/out`, '/home/anna')
    }
    const of = (service: Fragment) => verdict(model(service), { resolvePath })
    expect(of(bind('/srv/link/new'))).toBe('host_mount')
    expect(of(bind(`${folder}/out`))).toBe('host_mount')
    expect(of(bind('/srv/circle'))).toBe('host_mount')
    expect(of({ build: { context: `${folder}/out` } })).toBe('host_mount')
    expect(of(bind(`${folder}/in`))).toBe('data_in_version')
    expect(of(bind(`${folder}/in`, { read_only: true }))).toBe('accepted')
  })

  it('judges an existing volume or network by what it is, and says it once', () => {
    const proc: ExistingEntry = { driver: 'local', driver_opts: { type: 'proc', device: 'proc' } }
    const lan: ExistingEntry = { driver: 'macvlan', driver_opts: { parent: 'eth0' } }
    const existing = {
      volumes: new Map([['shop_data', proc]]),
      networks: new Map([['lan', lan]]),
    }
    const named = { volumes: { data: { name: 'shop_data', external: true } } }
    expect(verdict(model(usesVolume, named))).toBe('accepted')
    expect(verdict(model(usesVolume, named), { existing })).toBe('special_volume')
    const twice = model(usesVolume, { volumes: { data: { name: 'shop_data', ...proc } } })
    expect(judgeComposeModel(twice, { ...options, existing }).open).toHaveLength(1)
    const outside = { networks: { lan: { name: 'lan', external: true } } }
    expect(verdict(model({ networks: { lan: null } }, outside), { existing })).toBe('lan_network')
  })

  it('names the service and the path in the file, and takes exceptions for the new codes', () => {
    const data = mounted('nfs', ':/x', 'addr=10.0.0.1')
    const compose = [
      { code: 'special_volume', service: 'web', subject: 'nfs :/x', reason: 'the archive' },
    ]
    const judged = judgeComposeModel(model(usesVolume, { volumes: { data } }), {
      ...options,
      exceptions: { exceptions: [], compose },
    })
    expect(judged.open).toEqual([])
    expect(judged.excused).toMatchObject([
      {
        reason: 'the archive',
        exposure: { service: 'web', pointer: 'compose.yaml#/volumes/data/driver_opts' },
      },
    ])
  })
})

import { judgeComposeModel } from '#ops/host/engines/compose/judge'
import { composeModel } from '#ops/host/engines/compose/model'
import { listing, once, type ViolationGroup, type Violation } from './violation.ts'

/** A service as `docker compose config --format json` prints it. */
const judged = (service: object, file: object = {}) =>
  listing(
    () =>
      judgeComposeModel(
        composeModel.parse({
          name: 'selftest',
          services: { web: { image: 'web', ...service } },
          networks: { default: { name: 'selftest_default' } },
          ...file,
        }),
      ).open,
  )
const port = (more: object): object => ({
  ports: [{ mode: 'ingress', target: 80, protocol: 'tcp', published: '8080', ...more }],
})
const mount = (source: string): object => ({
  volumes: [{ type: 'bind', source, target: '/mnt', read_only: true }],
})

type Case = readonly [name: string, what: string, code: string, service: object, file?: object]
const cases: readonly Case[] = [
  ['all_addresses', 'a port published on 0.0.0.0', 'public_publish', port({ host_ip: '0.0.0.0' })],
  ['no_address', 'a port published without an address', 'public_publish', port({})],
  [
    'port_range',
    'a range of ports published on every address',
    'public_publish',
    port({ published: '8000-8010' }),
  ],
  ['all_ipv6', 'a port published on [::]', 'public_publish', port({ host_ip: '::' })],
  ['udp', 'a UDP port published on every address', 'public_publish', port({ protocol: 'udp' })],
  [
    'local_network',
    'a port published on an address of the local network',
    'public_publish',
    port({ host_ip: '192.168.1.7' }),
  ],
  [
    'host_network',
    'a container in the network of the host',
    'host_network',
    { network_mode: 'host' },
  ],
  [
    'host_processes',
    'a container that sees the processes of the host',
    'host_namespace',
    { pid: 'host' },
  ],
  ['privileged', 'a privileged container', 'privileged', { privileged: true }],
  ['capability', 'a container with SYS_ADMIN', 'dangerous_capability', { cap_add: ['SYS_ADMIN'] }],
  [
    'no_seccomp',
    'a container without seccomp',
    'weakened_isolation',
    { security_opt: ['seccomp:unconfined'] },
  ],
  [
    'docker_socket',
    'a container with the socket of Docker',
    'docker_socket',
    mount('/var/run/docker.sock'),
  ],
  ['host_folder', 'a container with /etc of the host', 'host_mount', mount('/etc')],
  ['home', 'a container with the homes of the host', 'host_mount', mount('/home')],
  [
    'special_volume',
    'a named volume that is the process list of the host',
    'special_volume',
    { volumes: [{ type: 'volume', source: 'proc', target: '/mnt' }] },
    { volumes: { proc: { driver_opts: { type: 'proc', device: 'proc' } } } },
  ],
  [
    'remote_build',
    'an image built from a git address',
    'unreviewed_source',
    { build: { context: 'https://git.invalid/code.git' } },
  ],
  ['device', 'a container with a device of the host', 'device', { devices: ['/dev/mem:/dev/mem'] }],
  [
    'unknown_setting',
    'a setting that the judge does not know',
    'unknown_setting',
    { host_everything: true },
  ],
]

/** Compose files that open the host, judged before anything is started. */
export const composeViolations: ViolationGroup = {
  name: 'compose',
  guard: 'The judge of compose files',
  prepare: () => {
    const control = once(
      judged({
        ...port({ host_ip: '127.0.0.1' }),
        volumes: [{ type: 'bind', source: '/srv/selftest', target: '/mnt' }],
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      }),
    )
    return Promise.resolve({
      violations: cases.map(([name, what, expected, service, file]): Violation => ({
        name,
        what,
        expected,
        control,
        attempt: judged(service, file),
      })),
    })
  },
}

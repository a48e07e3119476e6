import { describe, expect, it } from 'vitest'
import { judgeComposeModel } from '#ops/host/engines/compose/judge'
import { composeModel } from '#ops/host/engines/compose/model'
import { noExceptions } from '#ops/platform/net/exposure'

/** A service as `docker compose config --format json` prints it, with what the test is about. */
const modelOf = (service: object, more: object = {}) =>
  composeModel.parse({
    name: 'shop',
    services: {
      web: {
        image: 'web',
        command: null,
        entrypoint: null,
        networks: { default: null },
        ...service,
      },
    },
    networks: { default: { name: 'shop_default', ipam: {} } },
    ...more,
  })
const publish = (port: object) => ({
  ports: [{ mode: 'ingress', target: 80, protocol: 'tcp', ...port }],
})
const codes = (service: object, more?: object): string[] =>
  judgeComposeModel(modelOf(service, more)).open.map(({ code }) => code)

describe('a rendered compose model', () => {
  it.each([
    ['a port without an address', publish({ published: '8080' }), 'public_publish'],
    ['0.0.0.0', publish({ published: '8080', host_ip: '0.0.0.0' }), 'public_publish'],
    ['every IPv6 address', publish({ published: '8080', host_ip: '::' }), 'public_publish'],
    [
      'an address of the local network',
      publish({ published: '8080', host_ip: '192.168.1.7' }),
      'public_publish',
    ],
    [
      'an IPv4-mapped public address',
      publish({ published: '8080', host_ip: '::ffff:203.0.113.9' }),
      'public_publish',
    ],
    [
      'a name instead of an address',
      publish({ published: '8080', host_ip: 'localhost' }),
      'public_publish',
    ],
    ['a port that the daemon chooses', publish({}), 'public_publish'],
    ['a UDP port', publish({ published: '53', protocol: 'udp' }), 'public_publish'],
    ['the host network', { network_mode: 'host' }, 'host_network'],
    ['the network of a foreign container', { network_mode: 'container:db' }, 'container_network'],
    ['the process list of the host', { pid: 'host' }, 'host_namespace'],
    ['the IPC of the host', { ipc: 'host' }, 'host_namespace'],
    ['the users of the host', { userns_mode: 'host' }, 'host_namespace'],
    ['privileged', { privileged: true }, 'privileged'],
    ['a privileged hook', { post_start: [{ command: ['x'], privileged: true }] }, 'privileged'],
    ['SYS_ADMIN', { cap_add: ['SYS_ADMIN'] }, 'dangerous_capability'],
    ['CAP_NET_ADMIN in small letters', { cap_add: ['cap_net_admin'] }, 'dangerous_capability'],
    ['every capability', { cap_add: ['ALL'] }, 'dangerous_capability'],
    ['no seccomp', { security_opt: ['seccomp:unconfined'] }, 'weakened_isolation'],
    ['no AppArmor', { security_opt: ['apparmor=unconfined'] }, 'weakened_isolation'],
    [
      'the Docker socket',
      {
        volumes: [{ type: 'bind', source: '/var/run/docker.sock', target: '/d', read_only: true }],
      },
      'docker_socket',
    ],
    [
      'the Docker socket in another place',
      { volumes: [{ type: 'bind', source: '/srv/docker.sock', target: '/d' }] },
      'docker_socket',
    ],
    [
      'the folder of the Docker socket',
      { volumes: [{ type: 'bind', source: '/var/run', target: '/r', read_only: true }] },
      'docker_socket',
    ],
    [
      'a folder of /run',
      { volumes: [{ type: 'bind', source: '/run/systemd', target: '/r' }] },
      'host_mount',
    ],
    [
      'the whole host',
      { volumes: [{ type: 'bind', source: '/', target: '/host', read_only: true }] },
      'host_mount',
    ],
    [
      'a path with dots in it',
      { volumes: [{ type: 'bind', source: '/srv/../etc', target: '/e' }] },
      'host_mount',
    ],
    [
      'a device',
      { devices: [{ source: '/dev/kmsg', target: '/dev/kmsg', permissions: 'rwm' }] },
      'device',
    ],
    ['a device in the older notation', { devices: ['/dev/mem:/dev/mem'] }, 'device'],
    ['a rule for devices', { device_cgroup_rules: ['c 1:1 rwm'] }, 'device'],
    ['graphics processors', { gpus: [{ count: -1 }] }, 'device'],
    ['the API socket by its new setting', { use_api_socket: true }, 'docker_socket'],
    [
      'a build in the host network',
      { build: { context: '/src', network: 'host' } },
      'build_host_access',
    ],
    ['a setting nobody has judged', { host_everything: true }, 'unknown_setting'],
  ])('is refused for %s', (_what, service, code) => {
    expect(codes(service)).toEqual([code])
  })

  it('is refused for a named volume that is a folder of the host in disguise', () => {
    expect(
      codes(
        { volumes: [{ type: 'volume', source: 'sneaky', target: '/q' }] },
        {
          volumes: {
            sneaky: {
              name: 'shop_sneaky',
              driver: 'local',
              driver_opts: { type: 'none', o: 'bind', device: '/var/run' },
            },
          },
        },
      ),
    ).toEqual(['docker_socket'])
  })

  it('is refused for a file of the host as a secret, as a config, or in its build', () => {
    const more = {
      secrets: {
        key: { name: 'shop_key', file: '/run/docker.sock' },
        own: { name: 'shop_own', file: '/srv/shop/key' },
      },
      configs: { passwords: { name: 'shop_passwords', file: '/etc/shadow' } },
    }
    expect(codes({ secrets: [{ source: 'key', target: '/run/secrets/key' }] }, more)).toEqual([
      'docker_socket',
    ])
    expect(codes({ configs: [{ source: 'passwords', target: '/x' }] }, more)).toEqual([
      'host_mount',
    ])
    expect(codes({ build: { context: '/srv/shop', secrets: [{ source: 'key' }] } }, more)).toEqual([
      'docker_socket',
    ])
    expect(codes({ build: { context: '/etc/ai-ops-runner' } }, more)).toEqual(['host_mount'])
    expect(
      codes(
        {
          build: {
            context: '/srv/shop',
            additional_contexts: { host: '/etc', base: 'docker-image://base' },
          },
        },
        more,
      ),
    ).toEqual(['host_mount'])
    expect(codes({ secrets: [{ source: 'own' }], build: { context: '/srv/shop' } }, more)).toEqual(
      [],
    )
  })

  it('is refused for a macvlan network, a routed one, and the host network by another name', () => {
    expect(
      codes({ networks: { lan: null } }, { networks: { lan: { name: 'lan', driver: 'macvlan' } } }),
    ).toEqual(['lan_network'])
    expect(
      codes(
        { networks: { flat: null } },
        {
          networks: {
            flat: {
              name: 'flat',
              driver_opts: { 'com.docker.network.bridge.gateway_mode_ipv4': 'routed' },
            },
          },
        },
      ),
    ).toEqual(['lan_network'])
    expect(
      codes({ networks: { out: null } }, { networks: { out: { name: 'host', external: true } } }),
    ).toEqual(['host_network'])
  })

  it('names each port of a range, with its path in the file', () => {
    const { open } = judgeComposeModel(modelOf(publish({ published: '8000-8002' })), {
      file: 'deploy/compose.yaml',
    })
    expect(open.map(({ subject }) => subject)).toEqual([
      'tcp 0.0.0.0:8000',
      'tcp 0.0.0.0:8001',
      'tcp 0.0.0.0:8002',
    ])
    expect(open[0]).toMatchObject({
      service: 'web',
      pointer: 'deploy/compose.yaml#/services/web/ports/0',
      port: { protocol: 'tcp', number: 8000 },
    })
  })

  it('follows the links of a mount', () => {
    const model = modelOf({ volumes: [{ type: 'bind', source: '/srv/app/data', target: '/data' }] })
    expect(judgeComposeModel(model).open).toEqual([])
    expect(
      judgeComposeModel(model, {
        resolvePath: (path) => (path === '/srv/app/data' ? '/run/containerd' : path),
      }).open.map(({ code }) => code),
    ).toEqual(['docker_socket'])
  })

  it("keeps HQ's folders out of containers: secrets completely, proof from being written", () => {
    const mounts = {
      secret: ['/srv/hq/etc'],
      readOnly: ['/srv/hq/artifacts'],
      open: ['/run/openclaw/public'],
      sockets: ['/srv/hq/d.sock'],
    }
    const judge = (source: string, read_only: boolean) =>
      judgeComposeModel(modelOf({ volumes: [{ type: 'bind', source, target: '/x', read_only }] }), {
        mounts,
      }).open.map(({ code }) => code)
    expect(judge('/srv/hq/etc/secrets', true)).toEqual(['host_mount'])
    expect(judge('/srv/hq', true)).toEqual(['docker_socket'])
    expect(judge('/srv/hq/artifacts', true)).toEqual([])
    expect(judge('/srv/hq/artifacts', false)).toEqual(['host_mount'])
    expect(judge('/run/openclaw/public', true)).toEqual([])
    expect(judge('/run/openclaw', true)).toEqual(['host_mount'])
  })

  it('passes what is common and harmless', () => {
    expect(
      codes(
        {
          ports: ['127.0.0.1', '127.9.9.9', '::1', '100.64.0.2', 'fd7a:115c:a1e0::2'].map(
            (host_ip) => ({
              mode: 'ingress',
              host_ip,
              target: 80,
              published: '8080',
              protocol: 'tcp',
            }),
          ),
          volumes: [
            { type: 'volume', source: 'data', target: '/data' },
            { type: 'tmpfs', target: '/tmp' },
            { type: 'bind', source: '/srv/app/static', target: '/s' },
            { type: 'bind', source: '/etc/localtime', target: '/etc/localtime', read_only: true },
          ],
          cap_drop: ['ALL'],
          cap_add: ['NET_BIND_SERVICE', 'CHOWN'],
          security_opt: ['no-new-privileges:true'],
          read_only: true,
          user: '1000:1000',
          'x-note': 'ours',
          healthcheck: { test: ['CMD', 'true'] },
          depends_on: { db: { condition: 'service_healthy' } },
          restart: 'always',
          environment: { A: 'b' },
          network_mode: 'service:db',
        },
        { volumes: { data: { name: 'shop_data' } } },
      ),
    ).toEqual([])
  })

  it('lets through exactly what the configuration names with a reason', () => {
    const model = modelOf({ ...publish({ published: '8080' }), cap_add: ['NET_ADMIN', 'SYS_TIME'] })
    const judged = judgeComposeModel(model, {
      exceptions: {
        exceptions: [{ protocol: 'tcp', port: 8080, reason: 'the shop window' }],
        compose: [
          {
            code: 'dangerous_capability',
            service: 'web',
            subject: 'NET_ADMIN',
            reason: 'it is a VPN',
          },
        ],
      },
    })
    expect(judged.open.map(({ subject }) => subject)).toEqual(['SYS_TIME'])
    expect(judged.excused.map(({ reason }) => reason)).toEqual(['the shop window', 'it is a VPN'])
    const other = {
      ...noExceptions,
      compose: [
        {
          code: 'dangerous_capability',
          service: 'other',
          subject: 'NET_ADMIN',
          reason: 'it is a VPN',
        },
      ],
    }
    expect(judgeComposeModel(model, { exceptions: other }).open).toHaveLength(3)
    expect(
      judgeComposeModel(model, {
        exceptions: {
          exceptions: [
            { protocol: 'udp', port: 8080, reason: 'x' },
            { protocol: 'tcp', port: 8080, reason: ' ' },
          ],
          compose: [],
        },
      }).open,
    ).toHaveLength(3)
  })
})

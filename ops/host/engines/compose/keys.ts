// Every key of a compose file and what HQ does with it. A key that is not in this table is refused.
import type { ExposureCode } from '#ops/platform/net/exposure'

/** A refused key is reported with its code; `detail` continues the sentence "service web …". */
export type Verdict =
  | { readonly kind: 'harmless' }
  | { readonly kind: 'judged'; readonly each?: string }
  | { readonly kind: 'refused'; readonly code: ExposureCode; readonly detail: string }
  | { readonly kind: 'inside' | 'each'; readonly section: string }

/** It opens nothing and gives no power over the host, whatever its value. */
const harmless = { kind: 'harmless' } as const
/** Its value decides; the rule is in a file `*-rules.ts`, under the same name. */
const judged = { kind: 'judged' } as const
/** The same; the keys of each entry are in the table too. */
const judgedEach = (each: string) => ({ kind: 'judged', each }) as const
/** Its own keys are in the section of that name: of the object, or of each entry. */
const inside = (section: string) => ({ kind: 'inside', section }) as const
const each = (section: string) => ({ kind: 'each', section }) as const
/** It is refused whenever it is set. */
const refused = (code: ExposureCode, detail: string) => ({ kind: 'refused', code, detail }) as const

/**
 * The Compose specification, its JSON schema of July 2026. `docker compose config` resolves `extends`, `include`
 * and the short forms before HQ judges, so what is judged is what is built and started.
 */
export const composeKeys = {
  file: {
    version: harmless,
    name: harmless,
    services: each('service'),
    networks: each('network'),
    volumes: each('volume'),
    secrets: each('secret'),
    configs: each('config'),
    include: refused('unknown_setting', 'includes a file that Compose did not resolve'),
    models: refused('unknown_setting', 'runs a language model outside of the containers'),
  },

  service: {
    // What runs.
    image: harmless,
    build: inside('build'),
    command: harmless,
    entrypoint: harmless,
    environment: harmless,
    env_file: judged,
    extends: refused('unknown_setting', 'extends a service that Compose did not resolve'),
    user: harmless,
    group_add: harmless,
    working_dir: harmless,
    platform: harmless,
    isolation: harmless,
    init: harmless,
    tty: harmless,
    stdin_open: harmless,
    attach: harmless,
    post_start: judgedEach('hook'),
    pre_stop: judgedEach('hook'),
    pre_start: refused('unknown_setting', 'runs a further container before it starts (pre_start)'),
    provider: refused('build_host_access', 'is made by a program of the host (provider)'),
    runtime: refused(
      'unknown_setting',
      'runs in a container runtime that HQ does not know (runtime)',
    ),
    models: refused('unknown_setting', 'uses a language model outside of the containers (models)'),

    // What can reach it, and what it can reach.
    ports: judgedEach('port'),
    network_mode: judged,
    networks: judgedEach('attachment'),
    expose: harmless,
    links: harmless,
    external_links: harmless,
    hostname: harmless,
    domainname: harmless,
    extra_hosts: harmless,
    dns: harmless,
    dns_opt: harmless,
    dns_search: harmless,
    mac_address: harmless,

    // What it shares with the host.
    pid: judged,
    ipc: judged,
    uts: judged,
    userns_mode: judged,
    cgroup: judged,
    cgroup_parent: refused('unknown_setting', 'joins a control group of the host (cgroup_parent)'),

    // What it may do.
    privileged: refused(
      'privileged',
      'runs privileged, with every device and capability of the host',
    ),
    cap_add: judged,
    cap_drop: harmless,
    security_opt: judged,
    sysctls: judged,
    annotations: judged,
    devices: judgedEach('device'),
    device_cgroup_rules: judged,
    gpus: refused('device', 'has the graphics processors of the host'),
    use_api_socket: refused('docker_socket', 'is given the socket of the container engine'),
    credential_spec: refused('unknown_setting', 'uses an account of the host (credential_spec)'),

    // What it reads and writes.
    volumes: judgedEach('mount'),
    volumes_from: judged,
    tmpfs: harmless,
    secrets: judgedEach('reference'),
    configs: judgedEach('reference'),
    read_only: harmless,
    storage_opt: harmless,
    logging: inside('logging'),

    // How much it may use.
    blkio_config: inside('block io'),
    cpu_count: harmless,
    cpu_percent: harmless,
    cpu_period: harmless,
    cpu_quota: harmless,
    cpu_rt_period: harmless,
    cpu_rt_runtime: harmless,
    cpu_shares: harmless,
    cpus: harmless,
    cpuset: harmless,
    mem_limit: harmless,
    mem_reservation: harmless,
    mem_swappiness: harmless,
    memswap_limit: harmless,
    oom_kill_disable: harmless,
    oom_score_adj: harmless,
    pids_limit: harmless,
    shm_size: harmless,
    ulimits: harmless,

    // When it runs.
    depends_on: each('dependency'),
    deploy: inside('deploy'),
    scale: harmless,
    healthcheck: inside('health check'),
    restart: harmless,
    profiles: harmless,
    pull_policy: harmless,
    pull_refresh_after: harmless,
    stop_grace_period: harmless,
    stop_signal: harmless,
    // `docker compose watch`, which HQ never starts.
    develop: harmless,

    // How it is named.
    container_name: harmless,
    labels: harmless,
    label_file: judged,
  },

  build: {
    context: judged,
    dockerfile: judged,
    dockerfile_inline: harmless,
    additional_contexts: judged,
    args: harmless,
    target: harmless,
    platforms: harmless,
    labels: harmless,
    tags: judged,
    secrets: judgedEach('reference'),
    ssh: refused('build_host_access', 'is built with the SSH keys of the host (build.ssh)'),
    cache_from: judged,
    cache_to: judged,
    no_cache: harmless,
    no_cache_filter: harmless,
    pull: harmless,
    network: judged,
    extra_hosts: judged,
    privileged: refused('build_host_access', 'is built privileged'),
    entitlements: judged,
    isolation: harmless,
    shm_size: harmless,
    ulimits: harmless,
    provenance: harmless,
    sbom: harmless,
  },

  deploy: {
    mode: harmless,
    endpoint_mode: harmless,
    replicas: harmless,
    labels: harmless,
    placement: inside('placement'),
    restart_policy: inside('restart policy'),
    update_config: inside('update'),
    rollback_config: inside('update'),
    resources: inside('resources'),
  },
  placement: { constraints: harmless, preferences: harmless, max_replicas_per_node: harmless },
  'restart policy': {
    condition: harmless,
    delay: harmless,
    max_attempts: harmless,
    window: harmless,
  },
  update: {
    parallelism: harmless,
    delay: harmless,
    failure_action: harmless,
    monitor: harmless,
    max_failure_ratio: harmless,
    order: harmless,
  },
  resources: { limits: inside('limits'), reservations: inside('reservations') },
  limits: { cpus: harmless, memory: harmless, pids: harmless },
  reservations: {
    cpus: harmless,
    memory: harmless,
    generic_resources: harmless,
    devices: judged,
  },

  'block io': {
    weight: harmless,
    weight_device: harmless,
    device_read_bps: harmless,
    device_read_iops: harmless,
    device_write_bps: harmless,
    device_write_iops: harmless,
  },
  'health check': {
    disable: harmless,
    test: harmless,
    interval: harmless,
    timeout: harmless,
    retries: harmless,
    start_period: harmless,
    start_interval: harmless,
  },
  dependency: { condition: harmless, required: harmless, restart: harmless },
  hook: {
    command: harmless,
    user: harmless,
    privileged: judged,
    working_dir: harmless,
    environment: harmless,
  },
  logging: { driver: judged, options: harmless },
  device: { source: judged, target: harmless, permissions: harmless },
  reference: { source: judged, target: harmless, uid: harmless, gid: harmless, mode: harmless },

  port: {
    name: harmless,
    mode: harmless,
    host_ip: judged,
    target: judged,
    published: judged,
    protocol: judged,
    app_protocol: harmless,
  },
  attachment: {
    aliases: harmless,
    ipv4_address: harmless,
    ipv6_address: harmless,
    link_local_ips: harmless,
    mac_address: harmless,
    interface_name: harmless,
    priority: harmless,
    gw_priority: harmless,
    driver_opts: judged,
  },
  mount: {
    type: judged,
    source: judged,
    target: harmless,
    read_only: judged,
    consistency: harmless,
    bind: inside('bind mount'),
    volume: inside('volume mount'),
    tmpfs: inside('tmpfs mount'),
    image: inside('image mount'),
  },
  'bind mount': {
    propagation: judged,
    recursive: judged,
    create_host_path: harmless,
    selinux: harmless,
  },
  'volume mount': { labels: harmless, nocopy: harmless, subpath: harmless },
  'tmpfs mount': { size: harmless, mode: harmless },
  'image mount': { subpath: harmless },

  volume: {
    name: harmless,
    driver: judged,
    driver_opts: judged,
    // One that exists already is judged by what it really is (existing.ts).
    external: harmless,
    labels: harmless,
  },
  network: {
    name: judged,
    driver: judged,
    driver_opts: judged,
    ipam: inside('ipam'),
    external: harmless,
    internal: harmless,
    attachable: harmless,
    enable_ipv4: harmless,
    enable_ipv6: harmless,
    labels: harmless,
  },
  ipam: { driver: judged, options: judged, config: judgedEach('address pool') },
  'address pool': {
    subnet: judged,
    ip_range: harmless,
    gateway: harmless,
    aux_addresses: harmless,
  },
  secret: {
    name: harmless,
    file: judged,
    environment: harmless,
    external: refused('unknown_setting', 'is kept outside of this compose file'),
    labels: harmless,
    driver: refused('foreign_driver', 'is kept by a driver that HQ does not know'),
    driver_opts: refused('foreign_driver', 'is kept by a driver that HQ does not know'),
    template_driver: refused('foreign_driver', 'is filled in by a driver that HQ does not know'),
  },
  config: {
    name: harmless,
    file: judged,
    content: harmless,
    environment: harmless,
    external: refused('unknown_setting', 'is kept outside of this compose file'),
    labels: harmless,
    template_driver: refused('foreign_driver', 'is filled in by a driver that HQ does not know'),
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Verdict>>>>

export type SectionName = keyof typeof composeKeys

type Judged<T> = { [K in keyof T]: T[K] extends { kind: 'judged' } ? K : never }[keyof T]
/** The keys of a section that a rule must judge: the compiler insists on a rule for each. */
export type JudgedKey<S extends SectionName> = Judged<(typeof composeKeys)[S]>

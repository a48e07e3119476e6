/**
 * Every key of the Compose specification, as its JSON schema of July 2026 lists them, by the object that has them.
 * A new key of the specification is written down here and judged in the table.
 */
const listed = {
  file: 'version name include services models networks volumes secrets configs',
  service: `develop deploy annotations attach build blkio_config cap_add cap_drop cgroup cgroup_parent
    command configs container_name cpu_count cpu_percent cpu_shares cpu_quota cpu_period cpu_rt_period
    cpu_rt_runtime cpus cpuset credential_spec depends_on device_cgroup_rules devices dns dns_opt dns_search
    domainname entrypoint env_file label_file environment expose extends provider external_links extra_hosts
    gpus group_add healthcheck hostname image init ipc isolation labels links logging mac_address mem_limit
    mem_reservation mem_swappiness memswap_limit network_mode models networks oom_kill_disable oom_score_adj
    pid pids_limit platform ports pre_start post_start pre_stop privileged profiles pull_policy
    pull_refresh_after read_only restart runtime scale security_opt shm_size secrets sysctls stdin_open
    stop_grace_period stop_signal storage_opt tmpfs tty ulimits use_api_socket user uts userns_mode volumes
    volumes_from working_dir`,
  build: `context dockerfile dockerfile_inline entitlements args ssh labels cache_from cache_to no_cache
    no_cache_filter additional_contexts network provenance sbom pull target shm_size extra_hosts isolation
    privileged secrets tags ulimits platforms`,
  deploy: `mode endpoint_mode replicas labels rollback_config update_config resources restart_policy
    placement`,
  placement: 'constraints preferences max_replicas_per_node',
  'restart policy': 'condition delay max_attempts window',
  update: 'parallelism delay failure_action monitor max_failure_ratio order',
  logging: 'driver options',
  ipam: 'driver config options',
  'address pool': 'subnet ip_range gateway aux_addresses',
  resources: 'limits reservations',
  limits: 'cpus memory pids',
  reservations: 'cpus memory generic_resources devices',
  'block io': `device_read_bps device_read_iops device_write_bps device_write_iops weight weight_device`,
  'health check': 'disable interval retries test timeout start_period start_interval',
  dependency: 'restart required condition',
  hook: 'command user privileged working_dir environment',
  device: 'source target permissions',
  reference: 'source target uid gid mode',
  port: 'name mode host_ip target published protocol app_protocol',
  attachment: `aliases interface_name ipv4_address ipv6_address link_local_ips mac_address driver_opts
    priority gw_priority`,
  mount: 'type source target read_only consistency bind volume tmpfs image',
  'bind mount': 'propagation create_host_path recursive selinux',
  'volume mount': 'labels nocopy subpath',
  'tmpfs mount': 'size mode',
  'image mount': 'subpath',
  network: `name driver driver_opts ipam external internal enable_ipv4 enable_ipv6 attachable labels`,
  volume: 'name driver driver_opts external labels',
  secret: 'name environment file external labels driver driver_opts template_driver',
  config: 'name content environment file external labels template_driver',
} as const

export const composeSpecKeys: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.entries(listed).map(([section, keys]) => [section, keys.split(/\s+/)]),
)

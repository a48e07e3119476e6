/**
 * Every setting of a service that HQ judges or knows to open nothing (Compose specification of November 2025). One that
 * is not listed is refused: a newer Compose may have found a new way to the host.
 */
export const knownSettings: ReadonlySet<string> = new Set([
  'annotations', 'attach', 'blkio_config', 'build', 'cap_add', 'cap_drop', 'cgroup', 'command', 'configs', 'container_name', 'cpu_count', 'cpu_percent', 'cpu_period',
  'cpu_quota', 'cpu_rt_period', 'cpu_rt_runtime', 'cpu_shares', 'cpus', 'cpuset', 'depends_on', 'deploy', 'develop', 'device_cgroup_rules', 'devices', 'dns', 'dns_opt',
  'dns_search', 'domainname', 'entrypoint', 'env_file', 'environment', 'expose', 'external_links', 'extra_hosts', 'gpus', 'group_add', 'healthcheck', 'hostname', 'image', 'init',
  'ipc', 'isolation', 'label_file', 'labels', 'links', 'logging', 'mac_address', 'mem_limit', 'mem_reservation', 'mem_swappiness', 'memswap_limit', 'network_mode',
  'networks', 'oom_kill_disable', 'oom_score_adj', 'pid', 'pids_limit', 'platform', 'ports', 'post_start', 'pre_stop', 'privileged', 'profiles', 'provider', 'pull_policy',
  'pull_refresh_after', 'read_only', 'restart', 'scale', 'secrets', 'security_opt', 'shm_size', 'stdin_open', 'stop_grace_period', 'stop_signal', 'storage_opt', 'sysctls',
  'tmpfs', 'tty', 'ulimits', 'use_api_socket', 'user', 'userns_mode', 'uts', 'volumes', 'volumes_from', 'working_dir',
])

/**
 * Capabilities with which a container can take the host over or leave its network: see capabilities(7). Not listed are
 * Docker's own defaults and those that stay inside the container.
 */
export const dangerousCapabilities: ReadonlySet<string> = new Set([
  'ALL', 'BPF', 'CHECKPOINT_RESTORE', 'DAC_READ_SEARCH', 'LINUX_IMMUTABLE', 'MAC_ADMIN', 'MAC_OVERRIDE', 'NET_ADMIN', 'PERFMON', 'SYSLOG', 'SYS_ADMIN', 'SYS_BOOT', 'SYS_MODULE',
  'SYS_PTRACE', 'SYS_RAWIO', 'SYS_TIME', 'WAKE_ALARM', 'AUDIT_CONTROL', 'AUDIT_READ', 'BLOCK_SUSPEND',
])

export const capabilityName = (name: string): string => name.toUpperCase().replace(/^CAP_/, '')

/** Does this `security_opt` take a protection away? */
export const weakens = (option: string): boolean => {
  const [name = '', value = ''] = option.toLowerCase().split(/[:=](.*)/s)
  return value === 'unconfined' || (name === 'label' && value === 'disable') || (name === 'no-new-privileges' && value === 'false')
}

// Which capabilities and security options leave a container inside its bounds.

/**
 * Capabilities that stay inside the container: Docker's own defaults, and those that concern memory, priorities and
 * limits only (capabilities(7)). Every other one can take the host over or leave the container's network; so can one
 * that a newer kernel adds.
 */
export const harmlessCapabilities: ReadonlySet<string> = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'IPC_LOCK',
  'IPC_OWNER',
  'KILL',
  'LEASE',
  'MKNOD',
  'NET_BIND_SERVICE',
  'NET_BROADCAST',
  'NET_RAW',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
  'SYS_NICE',
  'SYS_PACCT',
  'SYS_RESOURCE',
  'SYS_TTY_CONFIG',
])

export const capabilityName = (name: string): string => name.toUpperCase().replace(/^CAP_/, '')

const parts = (option: string): readonly [string, string] => {
  const [name = '', value = ''] = option.toLowerCase().split(/[:=](.*)/s)
  return [name, value]
}

/** Does this `security_opt` take a protection away? */
export const weakens = (option: string): boolean => {
  const [name, value] = parts(option)
  return (
    value === 'unconfined' ||
    (name === 'label' && value === 'disable') ||
    (name === 'no-new-privileges' && value === 'false')
  )
}

/**
 * Does this `security_opt` leave every protection of Docker in place? A profile of the project is not judged: it may
 * allow anything.
 */
export const keepsIsolation = (option: string): boolean => {
  const [name, value] = parts(option)
  if (name === 'no-new-privileges') return value === '' || value === 'true'
  return (
    (name === 'apparmor' && value === 'docker-default') ||
    (name === 'seccomp' && value === 'builtin')
  )
}

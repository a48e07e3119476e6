/**
 * How a unit could reach the Docker socket, which is control of the whole host. `systemd-analyze security` does not see
 * it: membership of the docker group costs one tenth of its score.
 * @returns what gives it away; empty when nothing does
 */
export function dockerReach(unit: string): string[] {
  if (!unit.includes('[Service]')) return []
  const values = (key: string): string[] =>
    [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))]
      .flatMap((match) => (match[1] ?? '').split(/\s+/))
      .filter((value) => value !== '')
  const user = values('User').at(-1)
  return [
    ...((user === undefined || user === 'root' || user === '0') && !shutOut(values)
      ? ['root']
      : []),
    ...([...values('Group'), ...values('SupplementaryGroups')].includes('docker')
      ? ['group docker']
      : []),
    ...(['BindPaths', 'BindReadOnlyPaths', 'ReadWritePaths', 'Sockets', 'OpenFile'].some((key) =>
      values(key).some((value) => value.includes('docker.sock')),
    )
      ? ['docker.sock']
      : []),
    ...(values('AmbientCapabilities').length > 0 ? ['capabilities'] : []),
  ]
}

/**
 * Capabilities with which root gets round a path that its unit does not see: another mount namespace, or a look through
 * another process.
 */
const waysRound = ['CAP_SYS_ADMIN', 'CAP_SYS_PTRACE', 'CAP_SYS_CHROOT', 'CAP_MKNOD']

/** Is the socket hidden from a root whose capabilities are listed, and hold no way round? */
function shutOut(values: (key: string) => string[]): boolean {
  const capabilities = values('CapabilityBoundingSet')
  const hidden = values('InaccessiblePaths').map((path) => path.replace(/^-/, ''))
  return (
    hidden.includes('/run/docker.sock') &&
    capabilities.length > 0 &&
    capabilities.every((name) => name.startsWith('CAP_') && !waysRound.includes(name))
  )
}

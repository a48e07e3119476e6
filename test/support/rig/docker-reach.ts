/**
 * How a unit could reach the Docker socket, which is control of the whole host. `systemd-analyze security` does not see
 * it: membership of the docker group costs one tenth of its score.
 * @returns what gives it away; empty when nothing does
 */
export function dockerReach(unit: string): string[] {
  if (!unit.includes('[Service]')) return []
  const values = (key: string): string[] => [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].flatMap((match) => (match[1] ?? '').split(/\s+/)).filter((value) => value !== '')
  const user = values('User').at(-1)
  return [
    ...(user === undefined || user === 'root' || user === '0' ? ['root'] : []),
    ...([...values('Group'), ...values('SupplementaryGroups')].includes('docker') ? ['group docker'] : []),
    ...(['BindPaths', 'BindReadOnlyPaths', 'ReadWritePaths', 'Sockets', 'OpenFile'].some((key) => values(key).some((value) => value.includes('docker.sock'))) ? ['docker.sock'] : []),
    ...(values('AmbientCapabilities').length > 0 ? ['capabilities'] : []),
  ]
}

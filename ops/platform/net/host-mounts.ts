import { isAbsolute, normalize } from 'node:path'

/** Sockets that are as good as root on the host. */
const engineSockets = [
  /(?:^|\/)(?:docker|containerd|podman|crio|buildkitd)(?:\.raw)?\.sock$/,
  /^\/run\/(?:containerd|docker|podman|buildkit)(?:\/|$)/,
]
/** Folders of the host whose content is its identity, its programs or its kernel. */
const forbidden = [
  '/run',
  '/proc',
  '/sys',
  '/dev',
  '/etc',
  '/boot',
  '/root',
  '/usr',
  '/bin',
  '/sbin',
  '/lib',
  '/lib64',
  '/var/lib/docker',
  '/var/lib/containerd',
  '/var/spool/cron',
  '/var/lib/tailscale',
  '/var/lib/systemd',
]
/** Harmless to read, and often mounted. */
const readable = [
  '/etc/localtime',
  '/etc/timezone',
  '/etc/ssl/certs',
  '/etc/ca-certificates',
  '/usr/share/zoneinfo',
  '/usr/share/ca-certificates',
]

const inside = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`)
const plain = (path: string): string =>
  normalize(path)
    .replace(/^\/var\/run(?=\/|$)/, '/run')
    .replace(/(?<=.)\/$/, '')

export interface MountRules {
  /** More folders that no container may see: HQ's secrets, its locks. */
  readonly secret: readonly string[]
  /** Folders that may be read and not written: proof. */
  readonly readOnly: readonly string[]
  /** Folders that are meant for containers, although they lie in a folder that is not: hostd's public socket. */
  readonly open: readonly string[]
  /** Sockets of container engines besides the standard ones. */
  readonly sockets: readonly string[]
}

export const ordinaryMounts: MountRules = {
  secret: [],
  readOnly: [],
  open: ['/run/openclaw/public'],
  sockets: [],
}

export interface MountFinding {
  readonly code: 'docker_socket' | 'host_mount'
  readonly why: string
}

/**
 * What a folder or file of the host lets a container do.
 * @param source its path, links resolved; `read_only` does not help where a socket can be reached
 * @returns null when it neither is part of a forbidden folder nor contains one
 */
export function judgeMount(
  source: string,
  readOnly: boolean,
  { secret, readOnly: guarded, open, sockets }: MountRules,
): MountFinding | null {
  if (!isAbsolute(source))
    return {
      code: 'host_mount',
      why: `mounts ${JSON.stringify(source)}, which is not an absolute path`,
    }
  const path = plain(source)
  const socketPaths = [...sockets.map(plain), '/run/docker.sock', '/run/containerd/containerd.sock']
  if (
    engineSockets.some((pattern) => pattern.test(path)) ||
    socketPaths.some((socket) => inside(path, socket) || (path !== '/' && inside(socket, path)))
  ) {
    return {
      code: 'docker_socket',
      why: `mounts ${source}, through which the container engine, and with it the host, can be commanded`,
    }
  }
  if (open.map(plain).some((folder) => inside(path, folder))) return null
  if (readOnly && readable.some((file) => inside(path, file))) return null
  const match = [...forbidden, ...secret.map(plain), ...(readOnly ? [] : guarded.map(plain))].find(
    (folder) => inside(path, folder) || inside(folder, path),
  )
  if (match === undefined) return null
  return {
    code: 'host_mount',
    why:
      path === match
        ? `mounts ${source} of the host`
        : `mounts ${source} of the host, which ${inside(path, match) ? 'is part of' : 'contains'} ${match}`,
  }
}

// Which folders of the host a container may see or write.
import { isAbsolute, normalize } from 'node:path'

/** Sockets that are as good as root on the host. */
const engineSockets = [
  /(?:^|\/)(?:docker|dockershim|cri-dockerd|containerd|podman|crio|buildkitd|snapd)(?:\.raw)?\.sock$/,
  /^\/run\/(?:containerd|docker|podman|crio|buildkit)(?:\/|$)/,
  /^\/var\/(?:lib|snap)\/(?:lxd|incus)\/(?:.*\/)?unix\.socket$/,
]
/** Folders of the host whose content is its identity, its programs, its kernel, its logs or its users. */
export const hostFolders = [
  '/run',
  '/proc',
  '/sys',
  '/dev',
  '/etc',
  '/boot',
  '/efi',
  '/root',
  '/home',
  '/usr',
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/snap',
  '/var/backups',
  '/var/lib/apt',
  '/var/lib/cloud',
  '/var/lib/containerd',
  '/var/lib/containers',
  '/var/lib/docker',
  '/var/lib/dpkg',
  '/var/lib/incus',
  '/var/lib/kubelet',
  '/var/lib/libvirt',
  '/var/lib/lxd',
  '/var/lib/NetworkManager',
  '/var/lib/rancher',
  '/var/lib/rpm',
  '/var/lib/snapd',
  '/var/lib/systemd',
  '/var/lib/tailscale',
  '/var/log',
  '/var/mail',
  '/var/spool',
] as const
/** The administration of a clone: who writes there, writes what git runs. */
const gitFolder = /(?:^|\/)\.git(?:\/|$)/
/** Harmless to read, and often mounted. */
const readable = [
  '/etc/localtime',
  '/etc/timezone',
  '/etc/ssl/certs',
  '/etc/ca-certificates',
  '/usr/share/zoneinfo',
  '/usr/share/ca-certificates',
]

/** Folders that are made for data of services (hier(7)). */
export const dataFolders = ['/srv', '/mnt', '/media', '/data', '/var/www'] as const

export const isInside = (path: string, folder: string): boolean =>
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
  /** Folders for data of services; default `dataFolders`. */
  readonly data?: readonly string[]
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
 * Is this path of the host known to be harmless: made for containers, readable proof or certificates, or a folder for
 * data? Call `judgeMount` first.
 * @param source absolute path, links resolved
 */
export function isForContainers(
  source: string,
  readOnly: boolean,
  { open, readOnly: guarded, data = dataFolders }: MountRules,
): boolean {
  const path = plain(source)
  const folders = [...open, ...(readOnly ? [...guarded, ...readable] : []), ...data]
  return folders.some((folder) => isInside(path, plain(folder)))
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
    socketPaths.some((socket) => isInside(path, socket) || (path !== '/' && isInside(socket, path)))
  ) {
    return {
      code: 'docker_socket',
      why: `mounts ${source}, through which the container engine, and with it the host, can be commanded`,
    }
  }
  if (open.map(plain).some((folder) => isInside(path, folder))) return null
  if (readOnly && [...readable, ...guarded.map(plain)].some((folder) => isInside(path, folder)))
    return null
  if (gitFolder.test(path))
    return { code: 'host_mount', why: `mounts ${source}, the administration of a clone` }
  const match = [
    ...hostFolders,
    ...secret.map(plain),
    ...(readOnly ? [] : guarded.map(plain)),
  ].find((folder) => isInside(path, folder) || isInside(folder, path))
  if (match === undefined) return null
  return {
    code: 'host_mount',
    why:
      path === match
        ? `mounts ${source} of the host`
        : `mounts ${source} of the host, which ${isInside(path, match) ? 'is part of' : 'contains'} ${match}`,
  }
}

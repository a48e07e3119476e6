import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Docker } from '#ops/platform/docker/engine-api'
import type { HostPaths } from '#ops/base/paths/paths'
import type { MountRules } from '#ops/platform/net/host-mounts'
import { ownerOf } from '#ops/base/process/run-as'
import { readHostSettings } from '#ops/core/config/settings-files'

/** @throws {Problem} `config_invalid` when host.json is off */
export const dockerOf = (paths: HostPaths): Docker => ({
  socket: readHostSettings(paths).docker_socket,
  reader: existsSync(paths.root) ? ownerOf(paths.root) : undefined,
})

/** Folders of HQ that containers may not see, or not write. Releases and builds lie beside them and may be mounted. */
export function mountRules(paths: HostPaths): MountRules {
  const { docker_socket } = readHostSettings(paths)
  return {
    secret: [paths.etc, paths.locks, dirname(paths.index), paths.services, paths.releases],
    readOnly: [paths.artifacts],
    open: [dirname(paths.publicSocket)],
    sockets: [docker_socket],
  }
}

// Where Docker is on this host, and which folders of the host a container may see.
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Docker } from '#ops/platform/docker/engine-api'
import type { MountRules } from '#ops/platform/net/host-mounts'
import { ownerOf } from '#ops/base/process/run-as'
import type { EngineHost } from './engine.ts'

export const dockerOf = ({ paths, settings }: EngineHost): Docker => ({
  socket: settings.docker_socket,
  reader: existsSync(paths.root) ? ownerOf(paths.root) : undefined,
})

/** Folders of HQ that containers may not see, or not write. Releases and builds lie beside them and may be mounted. */
export const mountRules = ({ paths, settings }: EngineHost): MountRules => ({
  secret: [paths.etc, paths.locks, dirname(paths.index), paths.services, paths.releases],
  readOnly: [paths.artifacts],
  open: [dirname(paths.publicSocket)],
  sockets: [settings.docker_socket],
})

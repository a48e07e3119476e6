// Where Docker is on this host, and which folders of the host a container may see.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Docker } from '#ops/platform/docker/engine-api'
import { dataFolders, hostFolders, type MountRules } from '#ops/platform/net/host-mounts'
import { projectConfigName } from '#ops/core/config/settings-files'
import { realPath } from '#ops/base/files/real-path'
import { ownerOf } from '#ops/base/process/run-as'
import type { EngineHost } from './engine.ts'

export const dockerOf = ({ paths, settings }: EngineHost): Docker => ({
  socket: settings.docker_socket,
  reader: existsSync(paths.root) ? ownerOf(paths.root) : undefined,
})

/** The path itself, and where it really is when a link leads there: a container may name either. */
function bothPaths(path: string): readonly string[] {
  const real = realPath(path)
  return real === path || real === '/' ? [path] : [path, real]
}

/**
 * Folders of HQ and of the host that containers may not see, or not write: HQ's state, settings, keys and sockets, and
 * the clone's administration.
 * @param version folder of the one version that is judged; its files were reviewed. Default: any build of the project
 */
export const mountRules = (
  { paths, settings }: EngineHost,
  version: string = paths.builds,
): MountRules => ({
  secret: [
    paths.etc,
    paths.state,
    dirname(paths.runnerSocket),
    join(paths.root, '.git'),
    join(paths.root, projectConfigName),
    ...hostFolders,
  ].flatMap(bothPaths),
  readOnly: bothPaths(paths.artifacts),
  open: [dirname(paths.publicSocket), version].flatMap(bothPaths),
  data: dataFolders.flatMap(bothPaths),
  sockets: bothPaths(settings.docker_socket),
})

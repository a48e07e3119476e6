// What a host lacks for containers.
import { toProblem } from '#shared/errors'
import { docker } from '#ops/platform/docker/client'
import { whyNoDaemon } from '#ops/platform/docker/engine-api'
import { imageOf } from '#ops/platform/docker/images'
import type { EngineHost } from '#ops/host/engines/common/engine'

/** What would stop a first deploy with containers, one sentence each. */
export async function missingForCompose({ paths, settings }: EngineHost): Promise<string[]> {
  const { docker_socket, base_image } = settings
  const at = { socket: docker_socket }
  const program = await docker(at, ['--version']).then(
    () => null,
    (error: unknown) => toProblem(error).message,
  )
  if (program !== null)
    return ['The program docker is not installed: install Docker Engine and its Compose plugin.']
  const missing: string[] = []
  if ((await docker(at, ['compose', 'version'])).exitCode !== 0)
    missing.push('The Compose plugin (docker compose, version 2) is not installed.')
  const daemon = await whyNoDaemon(docker_socket)
  if (daemon !== null)
    missing.push(`${daemon} Start Docker, or set docker_socket in ${paths.hostSettings}.`)
  else if ((await imageOf(at, base_image)) === null)
    missing.push(
      `The image ${base_image} is not here: the first deploy fetches it, ` +
        `or set base_image in ${paths.hostSettings}.`,
    )
  return missing
}

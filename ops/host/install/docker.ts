// What a host's settings say about Docker: the daemon that answers, and an image that is here.
import { existsSync, realpathSync } from 'node:fs'
import { hostSettings, type HostSettings } from '#shared/config'
import { z } from 'zod'
import { requestDocker, whyNoDaemon } from '#ops/platform/docker/engine-api'
import { imageOf } from '#ops/platform/docker/images'
import { readJson, writeJson } from '#ops/base/files/json-file'
import type { HostPaths } from '#ops/base/paths/paths'
import { readHostSettings } from '#ops/core/config/settings-files'
import type { Change } from '#ops/platform/accounts/change'

/** Where the daemon of a distribution, of Docker's own packages and of a snap listens. */
const knownSockets = [
  '/run/docker.sock',
  '/var/run/docker.sock',
  '/var/snap/docker/common/run/docker.sock',
]
/** Node 24 or newer, under the name of the official image. */
const nodeImage = /^(?:[\w.:-]+\/)*node:(?:2[4-9]|[3-9]\d)\b/

/** The setting, unless no daemon answers there and one answers at a known socket. */
async function findSocket(now: string): Promise<string> {
  if ((await whyNoDaemon(now)) === null) return now
  for (const socket of knownSockets)
    if (existsSync(socket) && (await whyNoDaemon(socket)) === null) return realpathSync(socket)
  return now
}

/** The setting, unless that image is missing and another image of Node is here: a host may not reach a registry. */
async function findBaseImage({ base_image }: HostSettings, socket: string): Promise<string> {
  if ((await whyNoDaemon(socket)) !== null || (await imageOf({ socket }, base_image)) !== null)
    return base_image
  const listed =
    (await requestDocker(
      { socket },
      {
        path: '/images/json',
        schema: z.array(z.looseObject({ RepoTags: z.array(z.string()).nullish() })),
      },
    )) ?? []
  return (
    listed
      .flatMap(({ RepoTags }) => RepoTags ?? [])
      .filter((name) => nodeImage.test(name))
      .toSorted()
      .at(-1) ?? base_image
  )
}

/** Sets the daemon that answers and an image that is here. Settings that work already stay as they are. */
export function dockerSettingsChange(paths: HostPaths): Change {
  const wanted = async (
    now: HostSettings,
  ): Promise<Pick<HostSettings, 'docker_socket' | 'base_image'>> => {
    const docker_socket = await findSocket(now.docker_socket)
    return { docker_socket, base_image: await findBaseImage(now, docker_socket) }
  }
  return {
    did: `set socket and image of Docker in ${paths.hostSettings}`,
    due: async () => {
      const now = readHostSettings(paths)
      const { docker_socket, base_image } = await wanted(now)
      return docker_socket !== now.docker_socket || base_image !== now.base_image
    },
    apply: async () => {
      const found = await wanted(readHostSettings(paths))
      writeJson(
        paths.hostSettings,
        hostSettings.loose().parse({
          ...readJson(paths.hostSettings, z.looseObject({}), 'config_invalid'),
          ...found,
        }),
      )
    },
  }
}

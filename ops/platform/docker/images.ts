import { z } from 'zod'
import { docker, dockerDo } from './client.ts'
import { requestDocker, inspect, requireDaemon, type Docker } from './engine-api.ts'

const image = z.looseObject({
  Id: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  RepoTags: z
    .array(z.string())
    .nullish()
    .transform((value) => value ?? []),
  Config: z
    .looseObject({
      Labels: z
        .record(z.string(), z.string())
        .nullish()
        .transform((value) => value ?? {}),
    })
    .nullish(),
})
export type Image = z.infer<typeof image>

/** @returns the image, or null when this machine has none of that name */
export const imageOf = async (
  at: Docker,
  name: string,
  signal?: AbortSignal,
): Promise<Image | null> =>
  (await inspect(at, { kind: 'image', names: [name], schema: image }, signal))[0] ?? null

export const imageLabels = ({ Config }: Image): Record<string, string> => Config?.Labels ?? {}

/** @throws {Problem} `docker_compose_failed` */
export const tagImage = async (at: Docker, id: string, name: string): Promise<void> => {
  await dockerDo(at, ['image', 'tag', id, name])
}

/** Tags of a repository that are on this machine. @throws {Problem} `docker_compose_failed` */
export async function tagsOf(at: Docker, repository: string): Promise<string[]> {
  const query = new URLSearchParams({ filters: JSON.stringify({ reference: [`${repository}:*`] }) })
  const images = await requestDocker(at, {
    path: `/images/json?${query.toString()}`,
    schema: z.array(image),
  })
  const names = (images ?? []).flatMap(({ RepoTags }) => RepoTags)
  return names
    .filter((name) => name.startsWith(`${repository}:`))
    .map((name) => name.slice(repository.length + 1))
}

/**
 * Takes a name off an image; without another name and without a container the image goes too.
 * @returns false when it is in use and therefore stayed
 * @throws {Problem} `docker_compose_failed` when the daemon does not answer
 */
export async function untagImage(at: Docker, name: string): Promise<boolean> {
  const { exitCode } = await docker(at, ['image', 'rm', name], { timeLimitSeconds: 60 })
  if (exitCode !== 0) await requireDaemon(at)
  return exitCode === 0
}

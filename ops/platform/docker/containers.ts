import { z } from 'zod'
import { dockerDo } from './client.ts'
import { requestDocker, inspect, type Docker } from './engine-api.ts'

const binding = z.looseObject({ HostIp: z.string(), HostPort: z.string() })
const list = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? [])

/** What HQ reads of a container. */
export const container = z.looseObject({
  Id: z.string(),
  Name: z.string(),
  /** Id of the image it was made from. */
  Image: z.string(),
  Created: z.string(),
  RestartCount: z.number(),
  State: z.looseObject({
    Status: z.string(),
    Running: z.boolean(),
    ExitCode: z.number(),
    StartedAt: z.string(),
    Pid: z.number(),
    Health: z
      .looseObject({
        Status: z.string(),
        Log: z.array(z.looseObject({ Output: z.string() })).nullish(),
      })
      .nullish(),
  }),
  Config: z.looseObject({
    Labels: z
      .record(z.string(), z.string())
      .nullish()
      .transform((value) => value ?? {}),
  }),
  HostConfig: z.looseObject({
    NetworkMode: z.string(),
    Privileged: z.boolean(),
    PidMode: z.string(),
    IpcMode: z.string(),
    UTSMode: z.string().default(''),
    UsernsMode: z.string().default(''),
    CapAdd: list,
    SecurityOpt: list,
    Devices: z
      .array(z.looseObject({ PathOnHost: z.string() }))
      .nullish()
      .transform((value) => value ?? []),
    DeviceCgroupRules: list,
  }),
  Mounts: z.array(
    z.looseObject({
      Type: z.string(),
      Source: z.string().default(''),
      Destination: z.string(),
      RW: z.boolean(),
    }),
  ),
  NetworkSettings: z.looseObject({
    Ports: z
      .record(z.string(), z.array(binding).nullable())
      .nullish()
      .transform((value) => value ?? {}),
    Networks: z
      .record(z.string(), z.looseObject({ NetworkID: z.string() }))
      .nullish()
      .transform((value) => value ?? {}),
  }),
})
export type Container = z.infer<typeof container>

export const projectLabel = 'com.docker.compose.project'
export const serviceLabel = 'com.docker.compose.service'
const oneOffLabel = 'com.docker.compose.oneoff'

export const serviceOf = ({ Config }: Container): string | null =>
  Config.Labels[serviceLabel] ?? null
/** Started by `compose run`: a candidate, never what serves. */
export const isOneOff = ({ Config }: Container): boolean => Config.Labels[oneOffLabel] === 'True'

/**
 * @param project only containers of this compose project
 * @param all also those that have ended
 * @throws {Problem} `docker_compose_failed`
 */
export async function containers(
  at: Docker,
  {
    project,
    all = false,
    signal,
  }: { project?: string; all?: boolean; signal?: AbortSignal | undefined } = {},
): Promise<Container[]> {
  const filters = project === undefined ? {} : { label: [`${projectLabel}=${project}`] }
  const query = new URLSearchParams({ all: all ? '1' : '0', filters: JSON.stringify(filters) })
  const listed = await requestDocker(
    at,
    {
      path: `/containers/json?${query.toString()}`,
      schema: z.array(z.looseObject({ Id: z.string() })),
    },
    signal,
  )
  return inspect(
    at,
    { kind: 'container', names: (listed ?? []).map(({ Id }) => Id), schema: container },
    signal,
  )
}

/** Last lines of what a container wrote, for evidence. */
export async function containerLog(at: Docker, id: string, lines = 20): Promise<string[]> {
  const said: string[] = []
  await dockerDo(at, ['logs', '--tail', String(lines), id], { onLine: (text) => said.push(text) })
  return said.slice(-lines)
}

/** Ends and removes containers, with the anonymous volumes they had. */
export async function removeContainers(at: Docker, ids: readonly string[]): Promise<void> {
  if (ids.length > 0)
    await dockerDo(at, ['rm', '--force', '--volumes', ...ids], { timeLimitSeconds: 60 })
}

/** One address and port on which a container is reachable through the host. */
export interface Publish {
  readonly address: string
  readonly port: number
  readonly protocol: string
  readonly inside: number
}

/** @returns what a running container publishes; ranges are one entry per port, as the daemon lists them */
export function publishesOf({ NetworkSettings }: Container): Publish[] {
  return Object.entries(NetworkSettings.Ports).flatMap(([key, bindings]) => {
    const [inside = '', protocol = 'tcp'] = key.split('/')
    // An empty address is what the daemon writes for "every address".
    return (bindings ?? []).map(({ HostIp, HostPort }) => ({
      address: HostIp === '' ? '0.0.0.0' : HostIp,
      port: Number(HostPort),
      protocol,
      inside: Number(inside),
    }))
  })
}

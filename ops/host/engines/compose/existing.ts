// Volumes and networks of a compose file that exist already: they stay what they are, whatever the file says.
import { z } from 'zod'
import { inspect, type Docker } from '#ops/platform/docker/engine-api'
import type { ComposeModel } from './model.ts'

const found = z.looseObject({
  Name: z.string(),
  Driver: z.string(),
  Options: z
    .record(z.string(), z.string())
    .nullish()
    .transform((value) => value ?? {}),
})

/** What the daemon knows of an entry, in the terms of a compose file. */
export interface ExistingEntry {
  readonly driver: string
  readonly driver_opts: Readonly<Record<string, string>>
}
/** By the real name. */
export interface ExistingEntries {
  readonly volumes: ReadonlyMap<string, ExistingEntry>
  readonly networks: ReadonlyMap<string, ExistingEntry>
}
export const nothingExists: ExistingEntries = { volumes: new Map(), networks: new Map() }

/** The name of an entry for the daemon; Compose fills it in when it renders. */
export const realName = (key: string, entry: { readonly name: string }): string =>
  entry.name === '' ? key : entry.name

/** @throws {Problem} `docker_unreachable`, `docker_compose_failed` */
export async function existingEntries(
  at: Docker,
  { volumes, networks }: Pick<ComposeModel, 'volumes' | 'networks'>,
  signal?: AbortSignal,
): Promise<ExistingEntries> {
  const read = async (
    kind: 'volume' | 'network',
    entries: Readonly<Record<string, { readonly name: string }>>,
  ): Promise<ReadonlyMap<string, ExistingEntry>> => {
    const names = Object.entries(entries).map(([key, entry]) => realName(key, entry))
    const all = await inspect(at, { kind, names, schema: found }, signal)
    return new Map(
      all.map((each) => [each.Name, { driver: each.Driver, driver_opts: each.Options }]),
    )
  }
  return { volumes: await read('volume', volumes), networks: await read('network', networks) }
}

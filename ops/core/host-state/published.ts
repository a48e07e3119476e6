// What HQ has published to the tailnet, so that it can be undone, and missed when it is gone.
import { join } from 'node:path'
import { rmSync } from 'node:fs'
import { z } from 'zod'
import { readJson, writeJson } from '#ops/base/files/json-file'
import type { HostPaths } from '#ops/base/paths/paths'

const entry = z.strictObject({
  port: z.number().int().min(1).max(65535),
  scheme: z.enum(['https', 'http']),
  /** As Serve writes it: `unix:/…` or `http://127.0.0.1:8787`. */
  target: z.string(),
})
/** One thing that Tailscale Serve offers to the tailnet. */
export type PublishedEntry = z.infer<typeof entry>

const published = z.strictObject({
  schema_version: z.literal(1),
  /** Full name of this host in the tailnet. */
  name: z.string(),
  /** Names that were added to `hostnames` of host.json. */
  hostnames: z.array(z.string()),
  /** false in the test rig alone, where the control server issues no certificates. */
  tls: z.boolean(),
  entries: z.array(entry),
  /**
   * What stood at a port before HQ published there, if anything did; its target is the one of the entry when HQ found
   * its own entry made. Left out when nothing stood, as older versions expect.
   */
  before: z.array(entry.pick({ port: true, target: true })).optional(),
})
export type Published = z.infer<typeof published>

type State = Pick<HostPaths, 'state'>
const file = ({ state }: State): string => join(state, 'published.json')

/** @throws {Problem} `state_invalid` */
export const readPublished = (paths: State): Published | undefined =>
  readJson(file(paths), published, 'state_invalid')

export const writePublished = (paths: State, record: Omit<Published, 'schema_version'>): void =>
  writeJson(file(paths), { schema_version: 1, ...record } satisfies Published)

export const forgetPublished = (paths: State): void => rmSync(file(paths), { force: true })

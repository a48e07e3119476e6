import { join } from 'node:path'
import { z } from 'zod'
import { statusReply, type StatusReply } from '#shared/api'
import { timestamp } from '#shared/ids'
import { sha256Of } from '#ops/base/sha256'
import { readJson, writeJson } from '#ops/base/files/json-file'

const cached = z.strictObject({
  schema_version: z.literal(1),
  origin: z.string(),
  as_of: timestamp,
  status: statusReply,
})

export interface KnownStatus {
  readonly status: StatusReply
  readonly as_of: string
}

const cachePath = (home: string, name: string, origin: string): string => {
  const readable = name
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '-')
    .slice(0, 40)
  return join(home, 'cache', `${readable}-${sha256Of(origin).slice(0, 8)}.json`)
}

/**
 * The last status a host gave, from an earlier start.
 * @returns null when there is none, or none that this version can read
 */
export function readStatusCache(
  home: string,
  { name, origin }: { name: string; origin: string },
): KnownStatus | null {
  try {
    const known = readJson(cachePath(home, name, origin), cached, 'internal_error')
    return known?.origin === origin ? { status: known.status, as_of: known.as_of } : null
  } catch {
    return null // another version wrote it, or it is damaged: it is a copy, and the host gives a new one
  }
}

/** @throws the system's error when it cannot be written */
export function writeStatusCache(
  home: string,
  { name, origin }: { name: string; origin: string },
  known: KnownStatus,
): void {
  writeJson(cachePath(home, name, origin), { schema_version: 1, origin, ...known }, { mode: 0o600 })
}

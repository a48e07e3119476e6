import { uptime } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { timestamp } from '#shared/ids'
import { readJson, writeJson } from '#ops/base/files/json-file'
import type { HostPaths } from '#ops/base/paths/paths'
import { bootId } from '#ops/base/process/process-tree'
import { guardRemediations, type GuardRemediationId } from './remediation.ts'

const hourSeconds = 3600

const attempt = z.strictObject({
  remediation: z.enum(guardRemediations),
  target: z.string(),
  /** For people, and for counting across a reboot. */
  at: timestamp,
  /** Counts while the machine is up, because it cannot be set. Negative for an attempt before the boot. */
  boot_id: z.string(),
  uptime_seconds: z.number(),
})
type Attempt = z.infer<typeof attempt>
/** `$OPENCLAW_STATE/guard-attempts.json`: what guard has tried within the last hour. */
const attemptsFile = z.strictObject({ schema_version: z.literal(1), attempts: z.array(attempt) })

export const attemptsFileOf = ({ state }: Pick<HostPaths, 'state'>): string =>
  join(state, 'guard-attempts.json')

interface Now {
  readonly wallMs: number
  readonly boot_id: string
  readonly uptime_seconds: number
}
const present = (): Now => ({ wallMs: Date.now(), boot_id: bootId(), uptime_seconds: uptime() })

/** The attempt on the clock of this boot. One from the future (the clock was set back) counts as made now. */
function onThisBoot(each: Attempt, now: Now): Attempt {
  if (each.boot_id === now.boot_id) return each
  const age = Math.max(0, (now.wallMs - Date.parse(each.at)) / 1000)
  return { ...each, boot_id: now.boot_id, uptime_seconds: now.uptime_seconds - age }
}

export interface Attempts {
  /** Attempts within the last hour. */
  count(remediation: GuardRemediationId, target: string): number
  /**
   * Records an attempt before it is made, so that it counts even if this process is killed.
   * @throws the error of the system when it cannot be written
   */
  record(remediation: GuardRemediationId, target: string): void
}

/** @throws {Problem} `state_invalid` when the file cannot be read: the count is never guessed */
export function openAttempts(paths: Pick<HostPaths, 'state'>): Attempts {
  const file = attemptsFileOf(paths)
  const write = (attempts: readonly Attempt[]): void =>
    writeJson(file, { schema_version: 1, attempts })
  const stored = readJson(file, attemptsFile, 'state_invalid')?.attempts ?? []
  const now = present()
  let attempts = stored
    .map((each) => onThisBoot(each, now))
    .filter(({ uptime_seconds }) => now.uptime_seconds - uptime_seconds < hourSeconds)
  // Attempts of another boot are stored again, so that they age by the clock of this boot from now on.
  if (stored.some(({ boot_id }) => boot_id !== now.boot_id)) write(attempts)
  return {
    count: (remediation, target) =>
      attempts.filter((each) => each.remediation === remediation && each.target === target).length,
    record: (remediation, target) => {
      const { wallMs, boot_id, uptime_seconds } = present()
      attempts = [
        ...attempts,
        { remediation, target, at: new Date(wallMs).toISOString(), boot_id, uptime_seconds },
      ]
      write(attempts)
    },
  }
}

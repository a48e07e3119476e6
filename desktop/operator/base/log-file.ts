import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { redact } from '#ops/base/redact/redaction'

/** At this size the log is set aside and a new one begun, in bytes; one former log is kept. */
const maxBytes = 5 * 1024 * 1024

/** The log of HQ on this machine, `$OPENCLAW_HQ_HOME/hq.log`, and standard error, both without what is secret. */
export function hqLog(home: string): (text: string) => void {
  const path = join(home, 'hq.log')
  return (said) => {
    const text = redact.text(said)
    process.stderr.write(`${text}\n`)
    try {
      mkdirSync(home, { recursive: true })
      if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > maxBytes)
        renameSync(path, `${path}.1`)
      appendFileSync(path, `${new Date().toISOString()} ${text}\n`, { mode: 0o600 })
    } catch (error) {
      // A log that fails must not fail what it reports.
      process.stderr.write(`${path} cannot be written: ${String(error)}\n`)
    }
  }
}

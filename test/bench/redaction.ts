import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LineSplitter } from '#ops/base/process/lines'
import { createRedactor } from '#ops/base/redact/redactor'
import { RunLog } from '#ops/core/pipeline/run-log'

/**
 * How much does redaction cost a run's log? Bytes of a child → lines → events on disk, with and without. `node
 * test/bench/redaction.ts`
 */
const megabytes = 60
const chunkBytes = 64 * 1024
const line = (n: number): string =>
  `2026-11-23T00:44:02.${n}Z step tests  PASS src/area/file${n}.test.ts > does "things" ` +
  `(12 ms) https://example.test/x?y=${n} and some more text, as lines have it`
const block = Buffer.from(`${Array.from({ length: 20_000 }, (_, n) => line(n)).join('\n')}\n`)
const secrets = Array.from({ length: 12 }, () => randomBytes(24).toString('base64url'))

function measure(redact: boolean): number {
  const dir = mkdtempSync(join(tmpdir(), 'bench-'))
  try {
    const log = new RunLog(join(dir, 'log.ndjson'))
    const lines = new LineSplitter((text) => {
      log.append(
        { type: 'log', time: '2026-11-23T00:00:00.000Z', step: null, stream: 'stdout', text },
        { redacted: true },
      )
    }) // as the runner does: cleaned on the bytes, or here not at all
    const redactor = redact ? createRedactor({ secrets }).bytes() : null
    const started = process.cpuUsage()
    let done = 0
    while (done < megabytes * 1e6) {
      for (let at = 0; at < block.length; at += chunkBytes) {
        const chunk = block.subarray(at, at + chunkBytes)
        lines.push(redactor === null ? chunk : redactor.push(chunk))
        done += chunk.length
      }
    }
    if (redactor !== null) lines.push(redactor.end())
    lines.end()
    log.close()
    // Processor time, so that what else the machine does is not counted.
    const { user, system } = process.cpuUsage(started)
    return done / (user + system)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

measure(true)
const runs = Array.from({ length: 3 }, () => ({ without: measure(false), with: measure(true) }))
const median = (values: number[]): number => values.toSorted((a, b) => a - b)[1] ?? 0
const [without, withIt] = [
  median(runs.map((run) => run.without)),
  median(runs.map((run) => run.with)),
]
console.log(
  `without ${without.toFixed(1)} MB/s · with ${withIt.toFixed(1)} MB/s · ` +
    `${((withIt / without) * 100).toFixed(1)} % kept`,
)

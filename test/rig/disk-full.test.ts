import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeJson } from '#ops/base/files/json-file'
import { runPipeline } from '#ops/core/pipeline/pipeline'
import { RunLog } from '#ops/core/pipeline/run-log'
import { newRunId } from '#shared/ids'
import { resultDocument } from '#shared/result'
import { mountTmpfs, whyNoTmpfs } from '../support/tmpfs.ts'

const why = whyNoTmpfs()
if (why) console.warn(`Skipped, ${why}: a disk that fills up`)

describe.skipIf(why !== null)('a disk that fills up', () => {
  let disk: ReturnType<typeof mountTmpfs>
  beforeEach(() => {
    disk = mountTmpfs(512)
  })
  afterEach(() => disk.unmount())

  it('ends the run as disk_full, and the result document is there, whole', async () => {
    const dir = join(disk.dir, 'artifacts', 'deploy', newRunId())
    const log = new RunLog(join(dir, 'events.ndjson'))
    const document = await runPipeline({
      action: 'probe',
      runId: newRunId(),
      facts: {},
      dir,
      resultFile: 'deploy_result.json',
      signal: new AbortController().signal,
      emit: (event) => {
        log.append(event)
      },
      document: (base) => ({ ...base, git_head: null, git_tree: null }),
      steps: [
        {
          name: 'flood',
          timeLimitSeconds: 60,
          run: async (_facts, { log: say, signal }) => {
            while (!signal.aborted) {
              say('x'.repeat(4000))
              await new Promise((resolve) => setImmediate(resolve))
            }
            return undefined
          },
        },
        { name: 'never', timeLimitSeconds: 60, run: async () => undefined },
      ],
    })
    log.close()
    expect(document).toMatchObject({
      overall: 'FAIL',
      error_class: 'disk_full',
      step_failed: 'flood',
      next_auto_fix: 'free_disk',
    })
    const written = resultDocument.parse(
      JSON.parse(readFileSync(join(dir, 'deploy_result.json'), 'utf8')),
    )
    expect(written).toEqual(document)
    expect(written.steps.map(({ status }) => status)).toEqual(['failed', 'not_reached'])
  })

  it('keeps the old content of a JSON file and leaves no temporary one', () => {
    const file = join(disk.dir, 'project_state.json')
    writeJson(file, { state: 'old' })
    expect(() => writeJson(file, { state: 'x'.repeat(2_000_000) })).toThrow(/ENOSPC/)
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ state: 'old' })
    expect(existsSync(join(disk.dir, 'project_state.json.tmp'))).toBe(false)
    writeJson(file, { state: 'new' })
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ state: 'new' })
  })
})

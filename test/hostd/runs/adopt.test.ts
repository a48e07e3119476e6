import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { adoptFolders, listRuns } from '../../../hostd/runs/adopt.ts'
import { openStore } from '../../../hostd/runs/store.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'adopt-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const time = '2026-01-01T00:00:00.000Z'
const runs = (count: number): void => {
  for (let n = 0; n < count; n += 1) {
    const run_id = `20260101T000000Z-${n.toString(16).padStart(8, '0')}`
    mkdirSync(join(dir, 'runs', run_id), { recursive: true })
    writeFileSync(
      join(dir, 'runs', run_id, 'run.json'),
      JSON.stringify({
        schema_version: 1,
        run_id,
        action: 'guard',
        lane: 'guard',
        params: {},
        actor: 'timer',
        deploy_run_id: null,
        requested_at: time,
        started_at: time,
        unit: null,
        pid: 1,
        pgid: 1,
        start_time: '1',
        boot_id: 'x',
      }),
    )
    writeFileSync(
      join(dir, 'runs', run_id, 'result.json'),
      JSON.stringify({ overall: 'PASS', error_class: null, step_failed: null, finished_at: time }),
    )
  }
}

it('a hostd that is stopped while it indexes many old runs continues from there', () => {
  runs(4100)
  const paths = { runs: join(dir, 'runs') }
  const log = (): void => undefined
  const store = openStore(join(dir, 'index.sqlite'), log)
  try {
    let taken = 0
    const ended = {
      inOneGo: (work: () => void) => store.inOneGo(work),
      insert: (run: Parameters<typeof store.insert>[0]) => {
        if ((taken += 1) > 3000) throw new Error('killed')
        return store.insert(run)
      },
    }
    expect(() => adoptFolders(listRuns(paths), { paths, store: ended, log })).toThrow('killed')
    const known = store.ids()
    expect(known.size).toBe(2000)
    expect(
      adoptFolders(
        listRuns(paths).filter((id) => !known.has(id)),
        { paths, store, log },
      ),
    ).toEqual([])
    expect(store.ids().size).toBe(4100)
  } finally {
    store.close()
  }
})

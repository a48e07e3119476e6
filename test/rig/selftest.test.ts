import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checksResult } from '#shared/result'
import { hostOf, installer, productionPaths as paths, type RigHost } from '../support/rig/host.ts'
import { whyNoRig } from '../support/rig/programs.ts'
import { bootRig, type Rig } from '../support/rig/rig.ts'

const why = whyNoRig()
if (why) console.warn(`Skipped, ${why}: the self-test on an installed host`)

describe.skipIf(why !== null)('the self-test on an installed host', () => {
  let rig: Rig
  let host: RigHost
  beforeAll(async () => {
    rig = await bootRig({ say: console.warn })
    host = hostOf(rig)
    await rig.must([installer])
  })
  afterAll(async () => await rig.down())

  it('sees every violation refused inside the unit of its run, and touches nothing of the host', async () => {
    const listening = async (): Promise<string> =>
      await rig.must([
        'ss',
        '--no-header',
        '--listening',
        '--tcp',
        '--udp',
        '--numeric',
        '--query=inet',
      ])
    const before = await listening()
    const id = await host.start('selftest')
    expect((await host.record(id)).unit).toMatch(/^openclaw-runner@.+\.service$/)
    const { status, result } = await host.ended(id)
    const document = checksResult.parse(result)
    expect(document.checks.filter((check) => check.status !== 'PASS')).toEqual([])
    expect([status, document.kind, document.overall]).toEqual(['passed', 'selftest', 'PASS'])
    expect(document.checks.length).toBeGreaterThan(100)
    // A unit may make no network namespace, so the check uses socket tables and says so.
    expect(document.checks.find(({ name }) => name === 'sockets:tcp')?.detail).toContain(
      'from socket tables',
    )
    expect(
      checksResult.parse(
        JSON.parse(
          readFileSync(rig.path(`${paths.artifacts}/selftest/${id}/selftest.json`), 'utf8'),
        ),
      ),
    ).toEqual(document)
    expect((await host.api('/api/status')).body).toMatchObject({
      maintenance: { on: false },
      last_selftest: { run_id: id, overall: 'PASS' },
    })
    expect(await listening()).toBe(before)
    expect(await rig.must(['find', '/tmp', '/var/tmp', '-name', 'openclaw-selftest-*'])).toBe('')
  })
})

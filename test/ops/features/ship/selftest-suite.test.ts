import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeShipRepo, type ShipRepo } from '../../../support/ship-repo.ts'

let sample: ShipRepo
beforeAll(() => {
  sample = makeShipRepo('http://127.0.0.1:9/v1')
})
afterAll(async () => await sample.remove())

describe('the self-test among the tests of a ship', () => {
  it('a leading hq is the HQ that ships, not a program of that name in the change or in PATH', async () => {
    const decoy = `#!/bin/sh\nprintf '<testsuites><testsuite><testcase name="fine"/></testsuite></testsuites>' > report.xml\n`
    const bin = join(sample.temp, 'bin')
    mkdirSync(bin)
    writeFileSync(join(bin, 'hq'), decoy, { mode: 0o755 })
    sample.config({
      tests: [
        {
          name: 'ops',
          argv: ['hq', 'next', 'show'],
          report: { format: 'junit', path: 'report.xml' },
        },
      ],
    })
    writeFileSync(join(sample.repo, 'hq'), decoy, { mode: 0o755 })
    sample.commit('A program called hq')
    const { result } = await sample.ship({ PATH: `${bin}:${sample.env['PATH'] ?? ''}:.` })
    expect(result).toMatchObject({
      step_failed: 'tests',
      error_class: 'tests_no_report',
      tests: [{ name: 'unit' }],
    })
  })

  it('a ship without it says so, and goes on', async () => {
    sample.config()
    sample.commit('Without the self-test')
    const { result } = await sample.ship()
    const tests = result.steps.find(({ name }) => name === 'tests')
    expect([tests?.status, tests?.detail]).toEqual([
      'passed',
      expect.stringContaining('no suite is `hq selftest`, so the guards of HQ were not tried'),
    ])
    expect(result.step_failed).toBe('review_auto')
  })
})

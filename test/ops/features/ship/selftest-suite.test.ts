import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { shipFixture } from '../../../support/ship-fixture.ts'

const at = shipFixture({ repositoryPer: 'file', provider: 'unreachable' })

describe('the self-test among the tests of a ship', () => {
  it('runs a leading hq as the HQ that ships, not a program of that name in the change or in PATH', async () => {
    const decoy =
      `#!/bin/sh\nprintf '<testsuites><testsuite><testcase ` +
      `name="fine"/></testsuite></testsuites>' > report.xml\n`
    const bin = join(at.sample.temp, 'bin')
    mkdirSync(bin)
    writeFileSync(join(bin, 'hq'), decoy, { mode: 0o755 })
    at.sample.config({
      tests: [
        {
          name: 'ops',
          argv: ['hq', 'next', 'show'],
          report: { format: 'junit', path: 'report.xml' },
        },
      ],
    })
    writeFileSync(join(at.sample.repo, 'hq'), decoy, { mode: 0o755 })
    at.sample.commit('A program called hq')
    const { result } = await at.sample.ship({ PATH: `${bin}:${at.sample.env['PATH'] ?? ''}:.` })
    expect(result).toMatchObject({
      step_failed: 'tests',
      error_class: 'tests_no_report',
      tests: [{ name: 'unit' }],
    })
  })

  it('is reported when it is missing, and the ship goes on', async () => {
    at.sample.config()
    at.sample.commit('Without the self-test')
    const { result } = await at.sample.ship()
    const tests = result.steps.find(({ name }) => name === 'tests')
    expect([tests?.status, tests?.detail]).toEqual([
      'passed',
      expect.stringContaining('no suite runs `hq selftest`, so the guards of HQ were not tested'),
    ])
    expect(result.step_failed).toBe('review_auto')
  })
})

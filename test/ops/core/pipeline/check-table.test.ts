import { describe, expect, it } from 'vitest'
import { remediations } from '#shared/errors/remediations'
import type { CheckResult } from '#shared/result'
import { checkTable } from '#ops/core/pipeline/check-table'

const check = (
  name: string,
  status: CheckResult['status'],
  detail: string,
  remedy: CheckResult['remedy'] = null,
): CheckResult => ({ name, status, detail, remedy, duration_ms: 3 })
const checks = [
  check(
    'disk:root',
    'PASS',
    '/opt/ai-ops-runner: 41.0 % of the space in use, 12.1 GiB free; 3.0 % of the inodes (warns at 85 %, fails at 95 %)',
  ),
  check(
    'tailnet',
    'SKIP',
    'Tailscale is not installed, so whether this host can be reached from afar is not checked.',
  ),
  check(
    'timer:doctor',
    'FAIL',
    'openclaw-doctor.timer is inactive, and maintenance is off: doctor does not run by itself.',
    'install_again',
  ),
  check(
    'git_drift',
    'WARN',
    `drift: origin's refs/heads/main is ${'a'.repeat(40)}, HEAD is ${'b'.repeat(40)}`,
    'deploy_again',
  ),
]

describe('the table of checks', () => {
  it.each([40, 80, 120])('stays within %i columns, worst first, with nothing lost', (columns) => {
    const lines = checkTable(checks, columns)
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns)
    expect(
      lines.filter((line) => /^[✓!✗–]/u.test(line)).map((line) => line.split(/\s+/).slice(1, 3)),
    ).toEqual([
      ['FAIL', 'timer:doctor'],
      ['WARN', 'git_drift'],
      ['SKIP', 'tailnet'],
      ['PASS', 'disk:root'],
    ])
    const words = lines.join(' ').replaceAll(/\s+/g, '')
    for (const { detail } of checks) expect(words).toContain(detail.replaceAll(/\s+/g, ''))
    expect(words).toContain(remediations.install_again.title.replaceAll(/\s+/g, ''))
    expect(words).toContain('4checks:1failed,1warned,1skipped,1passed')
  })

  it('is one line for each check where there is no terminal', () => {
    expect(checkTable(checks, null)).toHaveLength(checks.length + 1)
  })
})

import type { ReactElement } from 'react'
import type { CheckResult } from '#shared/result'
import { visibleText } from '../text/visible-text.ts'
import { ofCheck } from '../text/status.ts'
import { Mark } from './icons.tsx'
import { Status } from './status.tsx'

/** What was not applicable says least. */
const order = { FAIL: 0, WARN: 1, PASS: 2, SKIP: 3 } as const
export const worstFirst = (checks: readonly CheckResult[]): CheckResult[] =>
  checks.toSorted((a, b) => order[a.status] - order[b.status])
export const notGreen = (checks: readonly CheckResult[]): CheckResult[] =>
  worstFirst(checks.filter(({ status }) => status === 'FAIL' || status === 'WARN'))

/** *22 pass, 1 warn, 1 skip*: a status without checks is left out. */
export function tallyOf(checks: readonly CheckResult[]): string {
  const words = (['PASS', 'FAIL', 'WARN', 'SKIP'] as const).flatMap((status) => {
    const number = checks.filter((check) => check.status === status).length
    return number === 0 ? [] : [`${number} ${status.toLowerCase()}`]
  })
  return words.join(', ') || 'no checks'
}

/** One cell per check; what passes is faint, the rest has its mark. */
export function Matrix({
  checks,
  faded,
}: {
  checks: readonly CheckResult[]
  faded: boolean
}): ReactElement {
  return (
    <div
      className={`matrix ${faded ? 'faded' : ''}`}
      role="img"
      aria-label={`${checks.length} checks: ${tallyOf(checks)}`}
    >
      {checks.map(({ name, status }) => {
        const { tone, word } = ofCheck(status)
        return status === 'PASS' ? (
          <i key={name} className="pass" title={`${word}: ${name}`} />
        ) : (
          <span key={name} className={tone} title={`${word}: ${name}`}>
            <Mark tone={tone} />
          </span>
        )
      })}
    </div>
  )
}

/** A check as a line: state, name, and what was found. */
export function CheckLine({ check }: { check: CheckResult }): ReactElement {
  return (
    <div className="line">
      <Status shown={ofCheck(check.status)} />
      <span className="nowrap">{check.name}</span>
      <span className="line-end ellipsis" title={visibleText(check.detail)}>
        {visibleText(check.detail)}
      </span>
    </div>
  )
}

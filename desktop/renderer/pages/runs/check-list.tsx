import type { ReactElement } from 'react'
import type { CheckResult } from '#shared/result'
import { tallyOf, worstFirst } from '../../ui/checks.tsx'
import { useRemedy } from '../../ui/remedy.ts'
import { Mark } from '../../ui/icons.tsx'
import { took } from '../../text/format.ts'
import { ofCheck } from '../../text/status.ts'
import { visibleText } from '../../text/visible-text.ts'

/** The checks of a doctor, guard or port run, worst first: where a pipeline has its steps. */
export function CheckList({ checks }: { checks: readonly CheckResult[] }): ReactElement {
  const remedyOf = useRemedy()
  return (
    <nav className="steps" aria-label="Checks">
      <h2>{tallyOf(checks)}</h2>
      <ol>
        {worstFirst(checks).map(({ name, status, detail, remedy, duration_ms }) => {
          const { tone, word } = ofCheck(status)
          return (
            <li key={name} className={tone}>
              <div className="step" role="group" aria-label={`${name}: ${word}`}>
                <Mark tone={tone} />
                <span className="step-name">{name}</span>
                <span className="step-time">{took(duration_ms)}</span>
                {status !== 'PASS' && (
                  <span className="step-second">
                    {visibleText(detail)}
                    {remedy ? ` ${remedyOf(remedy)}` : ''}
                  </span>
                )}
              </div>
            </li>
          )
        })}
      </ol>
    </nav>
  )
}

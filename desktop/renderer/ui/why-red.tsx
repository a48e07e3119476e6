import type { ReactElement, ReactNode } from 'react'
import { Button } from 'react-aria-components'
import { Link } from 'wouter'
import { remediations, type RemediationId } from '#shared/errors/remediations'
import { errorRule, type ErrorClass } from '#shared/errors'
import type { ResultDocument, Triage } from '#shared/result'
import { plural } from '#shared/plural'
import { stepTitle } from '#shared/steps'
import { shortRun } from '../text/format.ts'
import { toneOfClass } from '../text/status.ts'
import { visibleText } from '../text/visible-text.ts'
import { Icon, Mark, type IconName } from './icons.tsx'
import { bindStyles } from './styles.ts'
import { Age } from './time.tsx'
import styles from './why-red.module.css'

const css = bindStyles(styles)

export interface Standing {
  readonly icon: IconName | 'pass' | 'wait' | 'you'
  readonly tone: string
  readonly text: ReactNode
}

interface Props {
  readonly errorClass: ErrorClass
  readonly step: string | null
  readonly detail: string | null
  readonly firstError: Triage['first_error']
  readonly onFirstError?: (() => void) | null
  /** Links to files; null when there is none. */
  readonly evidence: ReactNode
  readonly standing: readonly Standing[]
}

/** Why a run is red: the plain line and its class, the first error, and where things stand now. */
export function WhyRed({
  errorClass,
  step,
  detail,
  firstError,
  onFirstError = null,
  evidence,
  standing,
}: Props): ReactElement {
  const tone = toneOfClass(errorClass)
  const at = firstError?.file
    ? `${firstError.file}${firstError.file_line === null ? '' : `:${firstError.file_line}`}`
    : step && stepTitle(step)
  return (
    <section className={`why ${tone}`} aria-label="Why red">
      <div>
        <div className={css('why-top')}>
          <Mark tone={tone} />
          <h2>{errorRule(errorClass).sentence}</h2>
          <code className="mono tone-text">{errorClass}</code>
        </div>
        {(firstError || detail) && (
          <div className={css('error-line')}>
            <div className={css('error-at')}>
              <span className="ellipsis">{visibleText(at ?? '')}</span>
              {firstError && onFirstError && (
                <Button className="link-button nowrap" onPress={onFirstError}>
                  Show in the log
                </Button>
              )}
            </div>
            <p>{visibleText(firstError?.text ?? detail ?? '')}</p>
          </div>
        )}
        {firstError && detail && !firstError.text.includes(detail) && (
          <p className={css('soft why-detail')}>{visibleText(detail)}</p>
        )}
        {evidence !== null && (
          <div className={css('evidence')}>
            <span>Evidence</span>
            {evidence}
          </div>
        )}
      </div>
      <div className={css('kept')}>
        <h3>Where things stand</h3>
        <ul>
          {standing.map(({ icon, tone: itemTone, text }, index) => (
            <li key={index} className={itemTone}>
              {icon === 'pass' || icon === 'wait' || icon === 'you' ? (
                <Mark tone={icon} />
              ) : (
                <Icon name={icon} className="tone-text" />
              )}
              <span>{text}</span>
            </li>
          ))}
        </ul>
      </div>
    </section>
  )
}

/**
 * What follows a failure: by HQ itself, or by whom and where.
 * @param title the remedy in words that fit this page
 */
export function nextFix(fix: RemediationId, title: string, more: string = ''): Standing {
  const { automatic } = remediations[fix]
  return {
    icon: automatic ? 'retry' : 'you',
    tone: automatic ? 'wait' : 'you',
    text: (
      <>
        <b className="strong">{automatic ? 'Next automatic fix:' : 'Needs you:'}</b> {title}
        {more}
      </>
    ),
  }
}

/**
 * A later one has passed: nobody needs to do anything about this one any more.
 * @param later null when none has
 * @param folder address of the page that shows runs of its kind
 */
export function superseded(
  later: { readonly run_id: string; readonly at: string } | null,
  folder: '/ship' | '/runs',
): Standing | null {
  if (later === null) return null
  return {
    icon: 'pass',
    tone: 'pass',
    text: (
      <>
        Superseded by{' '}
        <Link href={`${folder}/${later.run_id}`} className="mono">
          {shortRun(later.run_id)}
        </Link>
        , which passed <Age at={later.at} />.
      </>
    ),
  }
}

/** How many steps of a run were not reached; null when all were. */
export function notReached(result: Pick<ResultDocument, 'steps'> | null): Standing | null {
  const number = result?.steps.filter(({ status }) => status === 'not_reached').length ?? 0
  if (number === 0) return null
  return {
    icon: 'wait',
    tone: 'wait',
    text: `${plural(number, 'step was', 'steps were')} not reached.`,
  }
}

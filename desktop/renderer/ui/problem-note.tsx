import type { ReactElement, ReactNode } from 'react'
import { errorRule } from '#shared/errors'
import { toBridgeError } from '../bridge/bridge-error.ts'
import { isBlocked } from '../text/status.ts'
import { visibleText } from '../text/visible-text.ts'
import { Mark } from './icons.tsx'
import { useRemedy } from './remedy.ts'

/** A failed request or action: sentence, class, cause, next step. */
export function ProblemNote({
  error,
  children,
}: {
  error: unknown
  children?: ReactNode
}): ReactElement {
  const { errorClass, message, nextAutoFix } = toBridgeError(error)
  const remedy = useRemedy()
  const tone = isBlocked(errorClass) ? 'blocked' : 'fail'
  return (
    <section className={`note ${tone}`} role="alert">
      <Mark tone={tone} />
      <div className="grow">
        <p>
          <b>{errorRule(errorClass).sentence}</b>{' '}
          <code className="mono tone-text">{errorClass}</code>
        </p>
        <p className="soft">{visibleText(message)}</p>
        <p className="soft">{remedy(nextAutoFix)}</p>
      </div>
      {children}
    </section>
  )
}

/** A list or panel that is empty, and why. */
export function Nothing({
  title,
  children,
}: {
  title: string
  children?: ReactNode
}): ReactElement {
  return (
    <div className="nothing">
      <p className="strong">{title}</p>
      {children !== undefined && <p className="soft">{children}</p>}
    </div>
  )
}

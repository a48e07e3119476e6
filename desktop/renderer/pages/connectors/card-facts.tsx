import { Fragment, type ReactElement } from 'react'
import { remediations } from '#shared/errors/remediations'
import { dateAndTime } from '../../text/format.ts'
import { visibleText } from '../../text/visible-text.ts'
import { Age } from '../../ui/time.tsx'
import { useRemedy } from '../../ui/remedy.ts'
import { bindStyles } from '../../ui/styles.ts'
import { endsSoon, type CardModel } from './model.ts'
import { settingText } from './setting-text.ts'
import styles from './connectors.module.css'

const css = bindStyles(styles)

/** The sentence of the state, and what is known of the secret. */
export function CardFacts({ card }: { card: CardModel }): ReactElement {
  const { report, detail, step } = card
  return (
    <>
      <Sentence card={card} />
      {report !== null && step !== 'attempt' && (
        <dl className={css('conn-facts')}>
          <dt>Checked</dt>
          <dd>
            <Age at={report.checked_at} />
          </dd>
          {shownSettings(card).map(({ label, text }) => (
            <Fragment key={label}>
              <dt>{label}</dt>
              <dd>{visibleText(text)}</dd>
            </Fragment>
          ))}
          {report.account != null && (
            <>
              <dt>Account</dt>
              <dd>{visibleText(report.account)}</dd>
            </>
          )}
          {report.expires_at != null && (
            <>
              <dt>Expires</dt>
              <dd>{dateAndTime(report.expires_at)}</dd>
            </>
          )}
          {report.state !== 'not_configured' && (
            <>
              <dt>Way</dt>
              <dd>{wayTitle(card, detail?.mode ?? report.mode)}</dd>
            </>
          )}
        </dl>
      )}
    </>
  )
}

/** The settings of its way that tell a person which service it is. */
function shownSettings({ ways, mode, settings }: CardModel): { label: string; text: string }[] {
  const fields = ways.find((way) => way.mode === mode)?.fields ?? []
  return fields.flatMap(({ name, label, shown }) => {
    const text = shown === true ? settingText(settings[name]) : ''
    return text === '' ? [] : [{ label, text }]
  })
}

const wayTitle = ({ ways }: CardModel, mode: string): string =>
  ways.find((way) => way.mode === mode)?.title ?? mode

function Sentence({ card }: { card: CardModel }): ReactElement {
  const { report, detail, step, needsYou, ways, flow, unused } = card
  const remedyOf = useRemedy()
  if (step === 'prove' && detail?.candidate != null)
    return (
      <p className="soft">
        A new secret was stored on the host <Age at={detail.candidate.stored_at} /> and is not
        proved yet.
        {report !== null &&
          report.state !== 'not_configured' &&
          ' The one in use stays until then.'}
      </p>
    )
  if (step === 'attempt')
    return (
      <p className="soft">
        {needsYou
          ? ways.find(({ mode }) => mode === flow?.mode)?.text
          : 'HQ goes on by itself. There is nothing to do now.'}
      </p>
    )
  if (unused) return <p className="soft">This host does without it. Phase 0 does not need it.</p>
  if (report === null)
    return <p className="soft">The host has not checked it yet, so nothing is known of it.</p>
  // What is automatic at the host is not at a service: the button checks again.
  const fix = report.next_auto_fix
  const remedy = fix === null || remediations[fix].automatic ? null : fix
  return (
    <>
      <p className="soft">{visibleText(report.detail)}</p>
      {step === 'rest' && endsSoon(card) && (
        <p className="soft">
          Connect again before then; the secret in use stays until the new one is proved.
        </p>
      )}
      {step === 'rest' && remedy !== null && <p className="quiet small">{remedyOf(remedy)}</p>}
    </>
  )
}

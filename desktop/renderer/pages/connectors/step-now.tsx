import type { ReactElement } from 'react'
import type { ConnectFlow } from '#shared/connect-flow'
import { CopyButton, CopyText } from '../../ui/copy.tsx'
import { PushButton } from '../../ui/push-button.tsx'
import { visibleText } from '../../text/visible-text.ts'
import { bindStyles } from '../../ui/styles.ts'
import { QrCode } from './qr-code.tsx'
import styles from './connectors.module.css'

const css = bindStyles(styles)

/** What the person must do now: the sentence, the window, the address and the code. */
export function StepNow({
  flow: { waiting_for, window, open_url, user_code },
  filled,
  onShowWindow,
}: {
  flow: ConnectFlow
  filled: boolean
  onShowWindow: () => void
}): ReactElement {
  const address = open_url === null ? null : { text: open_url, label: 'Copy the address' }
  const copied = user_code === null ? address : { text: user_code, label: 'Copy the code' }
  return (
    <div className={css('now')}>
      <p role="status">{visibleText(waiting_for ?? 'Waiting for you.')}</p>
      <div className={css('now-device')}>
        {user_code !== null && open_url !== null && <QrCode text={open_url} />}
        <div className={css('now-texts')}>
          {user_code !== null && <code className={css('code-big')}>{visibleText(user_code)}</code>}
          {open_url !== null && (
            <p className={css('address-line')}>
              <code className="mono" title={open_url}>
                {visibleText(open_url)}
              </code>
              {user_code !== null && <CopyButton text={open_url} label="Copy the address" />}
            </p>
          )}
          {copied !== null && <CopyText {...copied} filled={filled && !window} />}
        </div>
      </div>
      {window && (
        <div>
          <PushButton small icon="window" kind={filled ? 'main' : 'plain'} onPress={onShowWindow}>
            Bring window to front
          </PushButton>
        </div>
      )}
    </div>
  )
}

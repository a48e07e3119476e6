import type { ReactElement } from 'react'
import { Button, Dialog, DialogTrigger, Popover } from 'react-aria-components'
import { useLocation } from 'wouter'
import type { HostConnection } from '#shared/host-connection'
import { useHq } from '../bridge/context.ts'
import { Icon } from '../ui/icons.tsx'
import { PushButton } from '../ui/push-button.tsx'
import { Age } from '../ui/time.tsx'
import { span } from '../text/format.ts'
import { useLive } from '../state/live.tsx'
import { bindStyles } from '../ui/styles.ts'
import styles from './host-button.module.css'

const css = bindStyles(styles)

/** The host and how it is reached; what is known of it opens below. */
export function HostButton(): ReactElement {
  const { info } = useHq()
  const {
    overview: { connection, status },
    now,
    retry,
    cut,
  } = useLive()
  const [, go] = useLocation()
  const { tone, text } = reached(connection, cut === null ? null : now - cut.since, now)
  const name = connection.name ?? 'No host'
  return (
    <DialogTrigger>
      <Button className={css(`host ${tone}`)} aria-label={`Host ${name}, ${text}`}>
        {tone === 'fail' ? (
          <Icon name="offline" className="tone-text" />
        ) : (
          <span className={css('dot')} aria-hidden="true" />
        )}
        <b>{name}</b> <span className={css('host-path')}>{text}</span>
        <Icon name="down" small className="quiet" />
      </Button>
      <Popover className="popover" placement="bottom start">
        <Dialog className={css('host-card')} aria-label={`Host ${name}`}>
          <dl className="facts-list">
            {connection.url && (
              <>
                <dt>Address</dt>
                <dd className="mono ellipsis" title={connection.url}>
                  {connection.url.replace(/^https?:\/\//, '')}
                </dd>
              </>
            )}
            <dt>Answer</dt>
            <dd>{connection.as_of ? <Age at={connection.as_of} /> : 'none yet'}</dd>
            {status && (
              <>
                <dt>hostd</dt>
                <dd>{status.host.version}</dd>
                <dt>Engine</dt>
                <dd>{status.host.engine ?? 'not set yet'}</dd>
                <dt>Timers</dt>
                <dd>{status.host.timers}</dd>
              </>
            )}
          </dl>
          {connection.detail && <p className="soft">{connection.detail}</p>}
          <div className="row">
            <PushButton small icon="retry" onPress={retry}>
              Try now
            </PushButton>
            {info.operator && (
              <PushButton small onPress={() => go('/settings')}>
                Host settings
              </PushButton>
            )}
          </div>
        </Dialog>
      </Popover>
    </DialogTrigger>
  )
}

/** How the host is reached, for its dot and its text. @param cut milliseconds since HQ itself answered last */
function reached(
  { state, latency_ms, as_of }: HostConnection,
  cut: number | null,
  now: number,
): { tone: string; text: string } {
  if (cut !== null) return { tone: 'fail', text: `no answer for ${span(cut)}` }
  if (state === 'online')
    return {
      tone: 'pass',
      text: latency_ms === null ? 'connected' : `connected · ${Math.round(latency_ms)} ms`,
    }
  if (state === 'connecting') return { tone: 'wait', text: 'connecting' }
  if (state === 'not_enrolled') return { tone: 'you', text: 'not enrolled' }
  if (state === 'refused') return { tone: 'fail', text: 'refused' }
  return {
    tone: 'fail',
    text: as_of === null ? 'unreachable' : `unreachable · ${span(now - Date.parse(as_of))}`,
  }
}

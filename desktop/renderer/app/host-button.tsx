import type { ReactElement } from 'react'
import { Button, Dialog, DialogTrigger, Popover } from 'react-aria-components'
import { useLocation } from 'wouter'
import { reachedAs } from '#shared/state/hosts'
import { useHq } from '../bridge/context.ts'
import { Icon, Mark } from '../ui/icons.tsx'
import { PushButton } from '../ui/push-button.tsx'
import { Age } from '../ui/time.tsx'
import { span } from '../text/format.ts'
import { useHostCall } from '../state/use-host-call.ts'
import { useLive } from '../state/live.tsx'
import { visibleText } from '../text/visible-text.ts'
import { bindStyles } from '../ui/styles.ts'
import styles from './host-button.module.css'

const css = bindStyles(styles)

/** The host and how it is reached; what is known of it opens below. */
export function HostButton(): ReactElement {
  const { info } = useHq()
  const {
    overview: { connection, status },
    state: { reach, hosts },
    now,
    retry,
    cut,
  } = useLive()
  const [, go] = useLocation()
  const { tone, word: text } =
    cut === null
      ? reachedAs(connection, now)
      : { tone: 'fail', word: `no answer for ${span(now - cut.since)}` }
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
          {reach.detail !== null && <p className="soft">{visibleText(reach.detail)}</p>}
          {hosts.length > 1 && <OtherHosts />}
          <div className="row">
            <PushButton small icon="retry" onPress={retry}>
              Try now
            </PushButton>
            {info.operator && (
              <PushButton small onPress={() => go('/hosts')}>
                Hosts
              </PushButton>
            )}
          </div>
        </Dialog>
      </Popover>
    </DialogTrigger>
  )
}

/** The other enrolled hosts, each with how it is reached; a press selects one. */
function OtherHosts(): ReactElement {
  const { state } = useLive()
  const { mutate, isPending } = useHostCall('hosts.select')
  return (
    <ul className={css('others')} aria-label="Other hosts">
      {state.hosts
        .filter(({ selected }) => !selected)
        .map(({ name, url, tone, word }) => (
          <li key={url}>
            <Mark tone={tone} small />
            <span className="ellipsis">{visibleText(name)}</span>
            <span className="quiet small ellipsis grow">{word}</span>
            <PushButton
              small
              busy={isPending}
              label={`Select ${name}`}
              onPress={() => mutate({ url })}
            >
              Select
            </PushButton>
          </li>
        ))}
    </ul>
  )
}

import type { ReactElement } from 'react'
import { Link } from 'wouter'
import { errorRule } from '#shared/errors'
import type { ConnectFlow } from '#shared/connect-flow'
import { useHq } from '../../bridge/context.ts'
import { Mark } from '../../ui/icons.tsx'
import { PushButton } from '../../ui/push-button.tsx'
import { useRemedy } from '../../ui/remedy.ts'
import { shortRun } from '../../text/format.ts'
import { toneOfClass, type Tone } from '../../text/status.ts'
import { visibleText } from '../../text/visible-text.ts'
import { bindStyles } from '../../ui/styles.ts'
import type { CardProps } from './card-props.ts'
import { Ladder } from './ladder.tsx'
import styles from './connectors.module.css'

const css = bindStyles(styles)

const titles = { ready: 'Connected', cancelled: null, failed: 'Not connected' } as const

type End = NonNullable<ConnectFlow['end']>

function toneOf({ state, error_class }: End): Tone {
  if (state === 'ready') return 'pass'
  if (state === 'cancelled') return 'skip'
  return error_class === null ? 'fail' : toneOfClass(error_class)
}

/** How the attempt ended, until the person dismisses it or tries again. */
export function AttemptEnd({
  card: { name, title, ways },
  flow,
  filled,
  onOpen,
  requests: { send, busy },
}: CardProps & { flow: ConnectFlow }): ReactElement | null {
  const { bridge } = useHq()
  if (flow.end === null) return null
  const dismiss = (): Promise<unknown> => bridge.call('connectors.dismiss', { name })
  const used = ways.find(({ mode }) => mode === flow.mode)
  const refused = flow.end.error_class === 'connector_scope_missing'
  const instead = refused ? ways.find(({ mode }) => mode === used?.instead) : undefined
  const way = instead ?? used
  const again = (): void => {
    const form = (way?.fields.length ?? 0) > 0
    // A form must be filled in again: HQ kept nothing of it.
    if (form) onOpen(true, way?.mode)
    send(async () => {
      await dismiss()
      if (!form) await bridge.call('connectors.connect', { name, mode: flow.mode })
    })
  }
  const done = flow.end.state === 'ready'
  return (
    <>
      {flow.end.state === 'failed' && (
        <Ladder title={title} flow={flow} filled={false} onShowWindow={() => {}} />
      )}
      <End flow={flow} end={flow.end} />
      <div className={css('conn-foot')}>
        <span className="grow" />
        <PushButton small kind={done ? 'plain' : 'quiet'} busy={busy} onPress={() => send(dismiss)}>
          Dismiss
        </PushButton>
        {!done && (
          <PushButton small kind={filled ? 'main' : 'plain'} busy={busy} onPress={again}>
            {instead === undefined ? 'Try again' : `Connect by ${instead.title}`}
          </PushButton>
        )}
      </div>
    </>
  )
}

function End({ flow, end }: { flow: ConnectFlow; end: End }): ReactElement {
  const remedyOf = useRemedy()
  const tone = toneOf(end)
  const title = end.error_class === null ? titles[end.state] : errorRule(end.error_class).sentence
  return (
    <div className={`note ${tone}`} role="status">
      <Mark tone={tone} />
      <div className="grow">
        {title !== null && (
          <p>
            <b>{title}</b>{' '}
            {end.error_class !== null && <code className="mono tone-text">{end.error_class}</code>}
          </p>
        )}
        <p className="soft">{visibleText(end.message)}</p>
        {end.next_auto_fix !== null && <p className="soft">{remedyOf(end.next_auto_fix)}</p>}
        {flow.run_id !== null && (
          <p className="small">
            <Link href={`/runs/${flow.run_id}`}>Run {shortRun(flow.run_id)} of the host</Link>
          </p>
        )}
      </div>
    </div>
  )
}

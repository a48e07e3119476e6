import type { ReactElement, ReactNode } from 'react'
import type { Diagnosis, RemedyKind, Rung } from '#shared/host-connection'
import { diagnosisText } from '#shared/state/diagnosis'
import { useHostCall } from '../state/use-host-call.ts'
import { timeOfDay, took } from '../text/format.ts'
import type { Tone } from '../text/status.ts'
import { visibleText } from '../text/visible-text.ts'
import { Mark } from '../ui/icons.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { PushButton } from '../ui/push-button.tsx'
import { bindStyles } from '../ui/styles.ts'
import styles from './diagnosis.module.css'

const css = bindStyles(styles)

interface Props {
  readonly host: { readonly name: string; readonly url: string }
  readonly diagnosis: Diagnosis
  /** When the host answered last; null: never. */
  readonly asOf: string | null
  /** Nothing else on the page is filled. */
  readonly main?: boolean
  /** What HQ itself cannot do: a form, or a comparison. */
  readonly onWindow: (kind: 'edit_host' | 'agree') => void
  readonly children?: ReactNode
}

/** Why a host cannot be reached, what ends it, and the whole way to it. */
export function DiagnosisCard({
  host: { name, url },
  diagnosis,
  asOf,
  main = false,
  onWindow,
  children,
}: Props): ReactElement {
  const { title, text, remedy } = diagnosisText(diagnosis, name)
  const call = useHostCall('hosts.remedy')
  const away = diagnosis.rungs.some(({ state }) => state === 'fail')
  const press = (kind: RemedyKind): void => {
    if (kind === 'edit_host' || kind === 'agree') onWindow(kind)
    else call.mutate({ url, kind })
  }
  return (
    <section
      className={css(`diagnosis ${away ? 'fail' : 'warn'}`)}
      aria-label={`Diagnosis of ${name}`}
    >
      <div className={css('what')}>
        <h2>{visibleText(title)}</h2>
        <p className="soft">{visibleText(text)}</p>
        {asOf !== null && away && (
          <p className="soft">
            What HQ shows of {visibleText(name)} is from {timeOfDay(asOf)}.
          </p>
        )}
        {children}
        <div className="row">
          <PushButton
            kind={main ? 'main' : 'plain'}
            busy={call.isPending}
            onPress={() => press(remedy.kind)}
          >
            {remedy.label}
          </PushButton>
          {remedy.kind !== 'retry' && (
            <PushButton icon="retry" busy={call.isPending} onPress={() => press('retry')}>
              Try now
            </PushButton>
          )}
        </div>
        {call.data?.said && (
          <p className="soft" role="status">
            {visibleText(call.data.said)}
          </p>
        )}
        {call.error && <ProblemNote error={call.error} />}
        <p className={css('quiet small again')}>
          HQ tries again every few seconds; it comes back here by itself.
          {diagnosis.took_ms > 0 && ` Found in ${took(diagnosis.took_ms)}.`}
        </p>
      </div>
      <ol className={css('way')} aria-label={`The way to ${name}`}>
        {diagnosis.rungs.map((rung) => (
          <RungLine key={rung.name} rung={rung} name={name} />
        ))}
      </ol>
    </section>
  )
}

const tones: Readonly<Record<Rung['state'], Tone>> = {
  pass: 'pass',
  warn: 'warn',
  fail: 'fail',
  skip: 'skip',
  not_tried: 'wait',
}

const titles: Readonly<Record<Rung['name'], (name: string) => string>> = {
  laptop: () => 'This laptop is online',
  tailscale: () => 'Tailscale is here, up and signed in',
  known: (name) => `${name} is known to the tailnet`,
  key: () => 'Its key is valid',
  path: () => 'A path, direct or relayed',
  name: () => 'Name and certificate',
  hostd: () => 'hostd answers, and knows this laptop',
  clocks: () => 'Both clocks agree',
}

/** The rung that the diagnosis is about. */
const faults: Readonly<Record<Rung['name'], (name: string) => string>> = {
  laptop: () => 'This laptop is not online',
  tailscale: () => 'Tailscale is not up and signed in here',
  known: (name) => `${name} is not in the tailnet as HQ knows it`,
  key: () => 'Its key is not valid any more',
  path: () => 'No path, direct or relayed',
  name: () => 'Name and certificate do not hold',
  hostd: () => 'hostd does not answer, or does not know this laptop',
  clocks: () => 'The clocks do not agree',
}

function RungLine({ rung, name }: { rung: Rung; name: string }): ReactElement {
  const tone = tones[rung.state]
  const wrong = rung.state === 'fail' || (rung.state === 'warn' && rung.name === 'clocks')
  const title = (wrong ? faults : titles)[rung.name](name)
  return (
    <li className={tone}>
      <Mark tone={tone} />
      <span className={rung.state === 'fail' || rung.state === 'warn' ? 'strong' : ''}>
        {visibleText(title)}
        <span className="unseen">, {words[rung.state]}</span>
      </span>
      <span className={css('detail')}>{visibleText(rung.detail)}</span>
    </li>
  )
}

const words: Readonly<Record<Rung['state'], string>> = {
  pass: 'passed',
  warn: 'warning',
  fail: 'failed',
  skip: 'skipped',
  not_tried: 'not tried',
}

import { useState, type FormEvent, type ReactElement } from 'react'
import { Tab, TabList, TabPanel, Tabs } from 'react-aria-components'
import { whyNot, type Press } from '#shared/state/buttons'
import { useHq } from '../../bridge/context.ts'
import { useLive } from '../../state/live.tsx'
import { Mark } from '../../ui/icons.tsx'
import { PushButton } from '../../ui/push-button.tsx'
import { bindStyles } from '../../ui/styles.ts'
import { ConnectField } from './connect-field.tsx'
import type { CardProps, Typed } from './card-props.ts'
import { Disconnect } from './disconnect.tsx'
import type { CardModel, Way } from './model.ts'
import { filledIn, settingsAlone, valueOf } from './setting-text.ts'
import styles from './connectors.module.css'

const css = bindStyles(styles)

/** The ways to connect, each with its form. What was typed stays when another way is looked at. */
export function ConnectForm(props: CardProps): ReactElement {
  const { card, typed, onTyped } = props
  const [mode, setMode] = useState<string>(props.mode ?? card.mode)
  const [only] = card.ways
  const form = (way: Way): ReactElement => (
    <WayForm
      {...props}
      way={way}
      values={typed}
      onChange={(name, value) => onTyped((all) => ({ ...all, [name]: value }))}
      onLeave={() => onTyped((all) => settingsAlone(way.fields, all))}
    />
  )
  if (card.ways.length === 1 && only !== undefined) return form(only)
  return (
    <Tabs
      className={css('ways')}
      selectedKey={mode}
      onSelectionChange={(key) => setMode(String(key))}
    >
      <TabList aria-label={`Ways to connect ${card.title}`} className={css('segmented way-tabs')}>
        {card.ways.map((way) => (
          <Tab key={way.mode} id={way.mode} className={css('segment way-tab')}>
            {way.title}
            {way.warning !== undefined && (
              <>
                <Mark tone="warn" small />
                <span className="unseen">, with a warning</span>
              </>
            )}
          </Tab>
        ))}
      </TabList>
      {card.ways.map((way) => (
        <TabPanel key={way.mode} id={way.mode}>
          {form(way)}
        </TabPanel>
      ))}
    </Tabs>
  )
}

interface FormProps extends CardProps {
  readonly way: Way
  readonly values: Typed
  readonly onChange: (name: string, value: string) => void
  /** The form was sent or closed. */
  readonly onLeave: () => void
}

function WayForm(props: FormProps): ReactElement {
  const { card, way, values, onChange, onLeave, filled, open, onOpen, requests } = props
  const { bridge } = useHq()
  const blocked = useBlocked(way, values, card)
  const connect = (event: FormEvent): void => {
    event.preventDefault()
    if (blocked !== null || requests.busy) return
    const fields = filledIn(card, way.fields, values)
    requests.send(async () => {
      await bridge.call('connectors.connect', { name: card.name, mode: way.mode, fields })
      onLeave()
      onOpen(false)
    })
  }
  return (
    <form className={css('way-form')} onSubmit={connect}>
      <p className="soft">{way.text}</p>
      {way.warning !== undefined && (
        <p className={css('warning warn')}>
          <Mark tone="warn" />
          <span>{way.warning}</span>
        </p>
      )}
      {way.fields.map((field) => (
        <ConnectField
          key={field.name}
          field={field}
          value={valueOf(card, field, values)}
          kept={card.kept.has(field.name)}
          onChange={(value) => onChange(field.name, value)}
        />
      ))}
      <Scopes way={way} />
      <div className={css('conn-foot')}>
        {card.report !== null && card.report.state !== 'not_configured' && (
          <Disconnect {...props} />
        )}
        <span className="grow" />
        {open && (
          <PushButton
            small
            kind="quiet"
            onPress={() => {
              onLeave()
              onOpen(false)
            }}
          >
            Close
          </PushButton>
        )}
        <PushButton
          small
          type="submit"
          kind={filled ? 'main' : 'plain'}
          busy={requests.busy}
          blocked={blocked?.whole ?? null}
        >
          {labelOf(card, blocked)}
        </PushButton>
      </div>
    </form>
  )
}

type Blocked = { readonly short: string; readonly whole: string } | null

const labelOf = ({ title, report }: CardModel, blocked: Blocked): string => {
  const verb = report === null || report.state === 'not_configured' ? 'Connect' : 'Reconnect'
  return blocked === null ? `${verb} ${title}` : `${verb} ${title}: ${blocked.short}`
}

/** Why the attempt cannot start. */
function useBlocked(way: Way, values: Typed, card: CardModel): Blocked {
  const press: Press = useLive().state.buttons.of('connectors_status')
  if (press.state === 'blocked') return { short: press.short, whole: whyNot(press) ?? press.whole }
  const missing = way.fields.filter(
    (field) =>
      field.optional !== true &&
      !card.kept.has(field.name) &&
      valueOf(card, field, values).trim() === '',
  )
  if (missing.length === 0) return null
  const names = missing.map(({ label }) => label.toLowerCase()).join(' and ')
  return { short: `${names} first`, whole: `Fill in ${names} first.` }
}

/** What the service will be asked to allow. */
function Scopes({ way }: { way: Way }): ReactElement | null {
  if (way.scopes === undefined || way.scopes.length === 0) return null
  return (
    <div className={css('scopes')}>
      <h3 className="quiet small">You will be asked to allow</h3>
      <ul>
        {way.scopes.map(({ scope, text }) => (
          <li key={scope}>
            <span>{text}</span> <code className="mono quiet small">{scope}</code>
          </li>
        ))}
      </ul>
    </div>
  )
}

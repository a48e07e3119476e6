/** The one next action: what it is, and the button that does it. */
import { actions, type ActionId } from '../actions.ts'
import { span } from '../format.ts'
import { inWords } from './connectors.ts'
import type { Press } from './buttons.ts'
import type { Standing } from './standing.ts'

export interface NextAction {
  readonly id: NextId
  /** What to do, as a short order; *Nothing to do*. */
  readonly title: string
  /** What it brings about, or why it is needed. */
  readonly text: string
  /** null: nothing in HQ does it. */
  readonly button: NextButton | null
  /** Where the reason for it is shown. */
  readonly why?: { readonly label: string; readonly path: string }
}

export type NextId =
  | 'nothing'
  | 'wait'
  | 'retry'
  | 'follow'
  | 'ship'
  | 'fix'
  | 'commit'
  | 'integrate'
  | 'plan'
  | 'deploy'
  | 'unpin'
  | 'end_maintenance'
  | 'inspect_proof'
  | 'doctor'
  | 'connect'
  | 'enrol_host'
  | 'choose_repository'

export interface NextButton {
  readonly label: string
  readonly does:
    | { readonly kind: 'ship' }
    | { readonly kind: 'retry' }
    /** `confirm`: it asks before. */
    | {
        readonly kind: 'run'
        readonly action: ActionId
        readonly params: Readonly<Record<string, unknown>>
        readonly confirm: boolean
      }
    | { readonly kind: 'go'; readonly path: string }
  readonly press: Press
  /** It stands out: pressing it leads on, and nothing else does so better. */
  readonly filled: boolean
}

const ready: Press = { state: 'ready' }
const run = (
  label: string,
  action: ActionId,
  { press, params = {}, confirm = false }: RunOptions,
): NextButton => ({
  label,
  does: { kind: 'run', action, params, confirm },
  press,
  filled: press.state === 'ready',
})
interface RunOptions {
  readonly press: Press
  readonly params?: Readonly<Record<string, unknown>>
  readonly confirm?: boolean
}

export const go = (label: string, path: string): NextButton => ({
  label,
  does: { kind: 'go', path },
  press: ready,
  filled: false,
})

export const nothing = (text: string): NextAction => ({
  id: 'nothing',
  title: 'Nothing to do.',
  text,
  button: null,
})
export const wait = (title: string, text: string): NextAction => ({
  id: 'wait',
  title,
  text,
  button: null,
})
export const follow = (label: string, path: string, text: string): NextAction => ({
  id: 'follow',
  title: 'Wait for the run.',
  text,
  button: go(label, path),
})
export const retry = (text: string): NextAction => ({
  id: 'retry',
  title: 'Wait for the host.',
  text,
  button: { label: 'Try now', does: { kind: 'retry' }, press: ready, filled: false },
})

export const shipButton = ({ buttons: { ship: press } }: Standing): NextButton => ({
  label: 'Ship',
  does: { kind: 'ship' },
  press,
  filled: press.state === 'ready',
})

/** Ship, with the reason on its button when it cannot be pressed. */
export const ship = (standing: Standing, text: string): NextAction => ({
  id: 'ship',
  title: 'Ship it.',
  text,
  button: shipButton(standing),
})

/** Deploy, unless something must come first: a person's maintenance, or the pin of a rollback. */
export function deploy(standing: Standing, title: string, text: string): NextAction {
  const { buttons, maintenance, pin } = standing
  if (maintenance.held === 'person' || maintenance.held === 'unreadable')
    return endMaintenance(standing)
  const usual = standing.overview.usual_ms['deploy_and_verify']
  const whole = usual === undefined ? text : `${text} It usually takes ${span(usual)}.`
  if (pin?.holds === true)
    return {
      id: 'unpin',
      title,
      text: whole,
      button: run('Deploy the newest again', 'deploy_and_verify', {
        press: buttons.unpin,
        params: { unpin: true },
        confirm: true,
      }),
    }
  return {
    id: 'deploy',
    title,
    text: whole,
    button: run(actions.deploy_and_verify.button, 'deploy_and_verify', { press: buttons.deploy }),
  }
}

/** Maintenance that only a press ends. */
export function endMaintenance({ maintenance, buttons, now }: Standing): NextAction {
  const { held, by, since, reason } = maintenance
  const age = since === null ? '' : ` for ${span(now - Date.parse(since))}`
  const why = reason === null ? '' : `: ${reason.replace(/\.$/, '')}`
  const text = {
    nobody: '',
    run: '',
    person: `${by ?? 'A person'} holds it${age}${why}. No deploy starts until it is ended.`,
    unreadable:
      'Its file cannot be read, so it counts as held by a person. No deploy starts meanwhile.',
    left: `A deploy that has ended left it on${age}. Nothing runs in it; the background doctor is paused.`,
  }[held]
  return {
    id: 'end_maintenance',
    title: 'End maintenance when the work on the host is done.',
    text,
    button: run(actions.maintenance_clear.button, 'maintenance_clear', {
      press: buttons.end_maintenance,
      confirm: true,
    }),
  }
}

/** @param path the page that says what differs */
export const inspect = (text: string, path: string = '/proofs'): NextAction => ({
  id: 'inspect_proof',
  title: 'Look at the proof.',
  text,
  button: go('Open the proof', path),
})

export const runDoctor = (standing: Standing, title: string, text: string): NextAction => ({
  id: 'doctor',
  title,
  text,
  button: run(actions.doctor.button, 'doctor', { press: standing.buttons.of('doctor') }),
})

/** A connector that waits for a person. @returns null when none does */
export function connect({ connectors, overview }: Standing): NextAction | null {
  const [first] = connectors.filter(({ needsYou }) => needsYou)
  if (first === undefined) return null
  const open = go('Open Connectors', `/connectors/${first.name}`)
  const where = overview.place === 'console' ? ' HQ on the laptop connects it.' : ''
  return first.ready
    ? {
        id: 'connect',
        title: `Connect ${first.title} again.`,
        text: `Its sign-in ends soon.${where}`,
        button: open,
      }
    : {
        id: 'connect',
        title: `Connect ${first.title}.`,
        text: `${inWords(first)}.${first.required ? ' Phase 0 needs it.' : ''}${where}`,
        button: open,
      }
}

import { shortCommit } from '#shared/ids'
import type { Overview } from '#shared/bridge'
import type { State } from '#shared/state/state'
import { refusesDeploys } from '#shared/state/maintenance'

/** Every text of a state that a person reads. */
const textsOf = ({ headline, next, deployHeadline, health, marks, stands }: State): string[] => [
  headline.title,
  headline.sub,
  next.title,
  next.text,
  deployHeadline.title,
  deployHeadline.sub,
  health.title,
  ...stands.map(({ text }) => text),
  ...Object.values(marks).flatMap((mark) => (mark === null ? [] : [mark.text])),
]

/** What in a state contradicts the facts or itself; none is right. */
export function contradictionsOf(overview: Overview, state: State): string[] {
  return [
    ...aboutDone(overview, state),
    ...aboutServing(overview, state),
    ...aboutButtons(overview, state),
    ...aboutConnectors(state),
  ]
}

function aboutDone({ status, proof_alarms }: Overview, state: State): string[] {
  const { change, headline, marks, troubles, serving, next } = state
  const found: string[] = []
  const all = change.gates.every((gate) => gate.state === 'pass')
  if (change.done !== all) found.push('done is not what the gates say')
  if (headline.done && !change.done) found.push('the headline says DONE, the gates do not')
  if (/DONE/.test(headline.title) !== headline.done) found.push('DONE is in the words only')
  if (!change.done) return [...found, ...aboutTrouble(state)]
  if (serving.commit !== change.commit) found.push('DONE, and the host serves another commit')
  if (serving.standing !== 'green') found.push(`DONE, and what serves is ${serving.standing}`)
  if ((proof_alarms ?? []).length > 0) found.push('DONE under an alarm')
  const ids = new Set(change.gates.map(({ run_id }) => run_id))
  if (troubles.some(({ run_id }) => ids.has(run_id))) found.push('DONE with a broken proof')
  if (marks.deploy !== null && marks.deploy.tone === 'fail') found.push('DONE, and Deploy is red')
  if (marks.ship !== null && marks.ship.tone === 'fail') found.push('DONE, and Ship is red')
  if (headline.done && (next.id === 'deploy' || next.id === 'ship'))
    found.push(`DONE, and the next action is ${next.id}`)
  if (status?.last_deploy.result?.overall !== 'PASS') found.push('DONE after a red deploy')
  return found
}

function aboutTrouble({ troubles, marks, headline, serving, stands }: State): string[] {
  const found: string[] = []
  if (stands.some(({ tone }) => tone === 'fail') !== troubles.length > 0)
    found.push('where things stand hides a trouble')
  if (troubles.length > 0 && marks.proofs === null) found.push('a broken proof has no mark')
  if (headline.tone === 'fail' && marks.overview === null) found.push('a red headline has no mark')
  if (
    serving.standing === 'broken' &&
    marks.deploy?.tone !== 'fail' &&
    marks.deploy?.tone !== 'running'
  )
    found.push('what serves is broken, and Deploy is not red')
  return found
}

function aboutServing({ status }: Overview, state: State): string[] {
  const found: string[] = []
  const serves = status?.host.serving ?? null
  if (state.serving.commit !== serves) found.push('serves is not what the host says')
  for (const text of textsOf(state))
    for (const [, commit] of text.matchAll(/\b([0-9a-f]{12}) serves/g))
      if (serves === null || commit !== shortCommit(serves))
        found.push(`“${text}” names another commit than the host serves`)
  if (state.serving.standing === 'green' && status?.state?.last_verified_head !== serves)
    found.push('green, and the state of the host says otherwise')
  return found
}

function aboutButtons(overview: Overview, state: State): string[] {
  const { buttons, next, primary, maintenance, deploy, pin, reach } = state
  const found: string[] = []
  const free =
    reach.state === 'online' &&
    deploy === null &&
    !refusesDeploys(maintenance) &&
    pin?.holds !== true
  if ((buttons.deploy.state === 'ready') !== free)
    found.push('Deploy is pressable, or not, wrongly')
  if (buttons.deploy.state === 'running' && (deploy === null || reach.stale))
    found.push('Deploy leads to a run that is not there')
  if ((buttons.ship.state === 'running') !== (overview.ship?.active === true))
    found.push('Ship leads to a run that is not there')
  if (next.button?.does.kind === 'run') {
    const { action, params } = next.button.does
    const own = params['unpin'] === true ? buttons.unpin : buttons.of(action)
    const button = action === 'deploy_and_verify' && params['unpin'] !== true ? buttons.deploy : own
    if (button.state !== next.button.press.state) found.push('the next action has its own button')
    if (reach.stale) found.push('the next action needs a host that does not answer')
    if (next.button.press.state !== 'ready')
      found.push(`the next action ${next.id} cannot be pressed`)
  }
  if (primary !== null && buttons[primary].state !== 'ready')
    found.push('a filled button is blocked')
  return found
}

function aboutConnectors({ connectors, marks, next }: State): string[] {
  const found: string[] = []
  const waiting = connectors.filter(({ needsYou }) => needsYou)
  if ((marks.connectors?.tone === 'you') !== waiting.length > 0)
    found.push('a connector needs a person and is not marked, or the other way round')
  if (next.id === 'connect' && waiting.length === 0)
    found.push('the next action is to connect what needs nobody')
  return found
}

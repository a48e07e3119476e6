/** What the Connectors page is made of: reports of the host, attempts to connect, and the scene with both. */
import type { ConnectorsView, Overview } from '#shared/bridge'
import { stateOfAttempt, type ConnectFlow, type ConnectStep } from '#shared/connect-flow'
import type { ConnectorDetail, ConnectorReport } from '#shared/connectors'
import { connectors, type ConnectorMode, type ConnectorName } from '#shared/connectors/list'
import { connectSteps, type ConnectWay } from '#shared/connectors/ways'
import { errorRule } from '#shared/errors'
import { done } from './deploy-stories.ts'
import { ago, idAt } from './documents.ts'
import { scene, type Scene } from './scenes.ts'

type Parts<T> = { readonly [Name in ConnectorName]?: T }

export const ahead = (seconds: number): string => ago(-seconds)

const sentences: Readonly<Record<ConnectorReport['state'], string>> = {
  ready: 'The service accepted the secret.',
  not_configured: 'No secret is there.',
  invalid: 'The service refused the secret: it was withdrawn.',
  expired: 'The login ended 2 h ago.',
  unreachable: 'The service gave no answer within 20 s, so nothing is known of its secret.',
}
const classes: Readonly<Record<ConnectorReport['state'], ConnectorReport['error_class']>> = {
  ready: null,
  not_configured: 'CONNECTOR_NOT_CONFIGURED',
  invalid: 'connector_refused',
  expired: 'connector_expired',
  unreachable: 'connector_unreachable',
}
const firstMode = (name: ConnectorName): ConnectorMode => connectors[name].modes[0]

export function report(
  name: ConnectorName,
  state: ConnectorReport['state'],
  over: Partial<ConnectorReport> = {},
): ConnectorReport {
  const error_class = classes[state]
  return {
    name,
    mode: firstMode(name),
    state,
    error_class,
    next_auto_fix: error_class === null ? null : errorRule(error_class).next_auto_fix,
    detail: sentences[state],
    checked_at: ago(180),
    duration_ms: 410,
    ...over,
  }
}

export const detail = (
  name: ConnectorName,
  states: readonly ConnectorReport['state'][],
  over: Partial<ConnectorDetail> = {},
): ConnectorDetail => ({
  name,
  mode: firstMode(name),
  candidate: null,
  history: states.map((state, at) => ({
    run_id: idAt(180 + at * 3600, `c0de${name === 'kajabi' ? '1' : '2'}00${at.toString(16)}`),
    checked_at: ago(180 + at * 3600),
    state,
    error_class: classes[state],
  })),
  ...over,
})

/** @param states what the host found of each; null: it was never checked */
export function hostOf(
  kajabi: ConnectorReport | null,
  gmail: ConnectorReport | null,
  over: Partial<NonNullable<ConnectorsView['host']>> = {},
): NonNullable<ConnectorsView['host']> {
  const reports = [kajabi, gmail].filter((each) => each !== null)
  return {
    ok: reports.length === 2 && reports.every(({ state }) => state === 'ready'),
    seen:
      reports.length === 0
        ? null
        : { run_id: idAt(180, 'c0de1000'), action: 'connectors_status', finished_at: ago(180) },
    connectors: reports.length === 0 ? null : reports,
    details: [
      detail('kajabi', kajabi === null ? [] : [kajabi.state, 'ready', 'ready', 'unreachable']),
      detail('gmail', gmail === null ? [] : [gmail.state, 'ready', 'invalid']),
    ],
    last_phase0: null,
    ...over,
  }
}

/** What the Overview knows of the same. */
function known({ host, flows = [] }: Partial<ConnectorsView>, overview: Overview): Overview {
  return {
    ...overview,
    connecting: flows.flatMap((flow) => {
      const state = stateOfAttempt(flow)
      return state === null ? [] : [{ name: flow.connector, state }]
    }),
    status: overview.status && {
      ...overview.status,
      connectors:
        host?.seen == null
          ? null
          : {
              run_id: host.seen.run_id,
              checked_at: host.seen.finished_at,
              connectors: (host.connectors ?? []).map(({ name, state, expires_at }) => ({
                name,
                state,
                expires_at: expires_at ?? null,
              })),
            },
    },
  }
}

export function connectorsScene(view: Partial<ConnectorsView>, over: Partial<Scene> = {}): Scene {
  const base = done()
  return scene(
    {
      ...base.answers,
      'overview.get': known(view, base.answers['overview.get'] as Overview),
      'connectors.get': {
        host: hostOf(null, null),
        as_of: ago(2),
        problem: null,
        flows: [],
        kept: [],
        ...view,
      } satisfies ConnectorsView,
      'connectors.connect': attempt('kajabi'),
      'connectors.cancel': { ok: true },
      'connectors.show_window': { ok: true },
      'connectors.dismiss': { ok: true },
      'connectors.finalize': { run_id: idAt(1, 'f1a1f1a1'), joined: false },
      'connectors.revoke': { run_id: idAt(1, '4e40ce00'), joined: false },
      'host.exec': { run_id: idAt(1, 'c0dec0de'), joined: false },
    },
    over,
  )
}

interface At {
  readonly mode?: ConnectorMode
  /** The step it is in. */
  readonly step?: ConnectStep['id']
  readonly state?: ConnectStep['state']
  readonly details?: Parts<string> & { readonly [step: string]: string }
  readonly over?: Partial<ConnectFlow>
}

/** An attempt that stands in one step: those before it have passed. */
export function attempt(
  name: ConnectorName,
  { mode = firstMode(name), step, state = 'running', details = {}, over = {} }: At = {},
): ConnectFlow {
  const ways: Readonly<Record<string, ConnectWay>> = connectors[name].ways
  const ids = ways[mode]?.steps ?? []
  const at = step === undefined ? 0 : ids.indexOf(step)
  return {
    id: `attempt-${name}`,
    connector: name,
    mode,
    started_at: ago(72 + at),
    steps: ids.map((id, index) => ({
      id,
      title: connectSteps[id],
      state: index < at ? 'pass' : index === at ? state : 'wait',
      detail: details[id] ?? null,
      started_at: index <= at ? ago(index === at ? 72 : 120 - index) : null,
      ended_at: index < at || (index === at && state === 'fail') ? ago(71) : null,
    })),
    waiting_for: null,
    deadline: null,
    window: false,
    open_url: null,
    user_code: null,
    run_id: null,
    end: null,
    ...over,
  }
}

export const failedWith = (
  error_class: NonNullable<ConnectorReport['error_class']> | 'cancelled',
  message: string,
): ConnectFlow['end'] => ({
  state: 'failed',
  at: ago(8),
  message,
  error_class,
  next_auto_fix: errorRule(error_class).next_auto_fix,
})

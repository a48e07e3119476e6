/** The Connectors page in each of its states. */
import type { ConnectorsView, Overview } from '#shared/bridge'
import { stateOfAttempt, type ConnectFlow, type ConnectStep } from '#shared/connect-flow'
import type { ConnectorDetail, ConnectorReport } from '#shared/connectors'
import { connectors, type ConnectorMode, type ConnectorName } from '#shared/connectors/list'
import { connectSteps, type ConnectWay } from '#shared/connectors/ways'
import { errorRule } from '#shared/errors'
import { done } from './deploy-stories.ts'
import { ago, idAt } from './documents.ts'
import { run, scene, type Scene } from './scenes.ts'

type Parts<T> = { readonly [Name in ConnectorName]?: T }

const ahead = (seconds: number): string => ago(-seconds)

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

const detail = (
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

const failedWith = (
  error_class: NonNullable<ConnectorReport['error_class']> | 'cancelled',
  message: string,
): ConnectFlow['end'] => ({
  state: 'failed',
  at: ago(8),
  message,
  error_class,
  next_auto_fix: errorRule(error_class).next_auto_fix,
})

const ready = {
  kajabi: report('kajabi', 'ready', { expires_at: ahead(26 * 86_400 + 600) }),
  gmail: report('gmail', 'ready', { account: 'operator@example.com' }),
} as const
const notYet = [report('kajabi', 'not_configured'), report('gmail', 'not_configured')] as const

const signIn = attempt('kajabi', {
  step: 'sign_in',
  state: 'you',
  details: { open: 'Chrome 147' },
  over: {
    waiting_for: 'The sign-in window is open. Kajabi is asking for the code from your phone.',
    deadline: ahead(528),
    window: true,
  },
})
const device = attempt('gmail', {
  mode: 'oauth_device',
  step: 'code',
  state: 'you',
  details: { client: 'TV and limited input client' },
  over: {
    waiting_for: 'Open the address on any device, enter the code, and allow the access.',
    deadline: ahead(1_712),
    open_url: 'https://www.google.com/device',
    user_code: 'WDJB-MJHT',
  },
})
const phase0 = (
  over: Partial<NonNullable<NonNullable<ConnectorsView['host']>['last_phase0']>> = {},
): NonNullable<ConnectorsView['host']>['last_phase0'] => ({
  run_id: idAt(600, 'fa5e0000'),
  overall: 'PASS',
  error_class: null,
  finished_at: ago(590),
  artifact_dir: `phase0/${idAt(600, 'fa5e0000')}`,
  verification: 'verified',
  ...over,
})

/** The Overview knows the run that checks, and what the last check found. */
function withStatus(story: Scene, part: object): Scene {
  const overview = story.answers['overview.get'] as { status: object }
  return {
    ...story,
    answers: {
      ...story.answers,
      'overview.get': { ...overview, status: { ...overview.status, ...part } },
    },
  }
}

const away = connectorsScene({
  host: hostOf(ready.kajabi, ready.gmail, { last_phase0: phase0() }),
  as_of: ago(252),
  problem: {
    error_class: 'hostd_unreachable',
    message: 'aiops-1 does not answer: nothing listens at its address.',
    next_auto_fix: 'retry_when_reachable',
  },
})
const awayOverview = away.answers['overview.get'] as { connection: object }

/** By name; each is a state that a person meets. */
export const connectorStories: Readonly<Record<string, Scene>> = {
  'never checked': connectorsScene({}),
  'nothing connected': connectorsScene({ host: hostOf(...notYet) }),
  'a window is open, and a token is sent': connectorsScene({
    host: hostOf(...notYet),
    flows: [
      signIn,
      attempt('gmail', {
        step: 'send',
        details: { client: 'Desktop app client', exchange: 'PKCE S256' },
      }),
    ],
  }),
  'a device code waits': connectorsScene({
    host: hostOf(ready.kajabi, report('gmail', 'not_configured')),
    flows: [device],
  }),
  'a browser waits for consent': connectorsScene({
    host: hostOf(ready.kajabi, report('gmail', 'expired')),
    flows: [
      attempt('gmail', {
        step: 'allow',
        state: 'you',
        over: {
          waiting_for: 'Allow the access in your browser; HQ opened it.',
          deadline: ahead(180),
          open_url:
            'https://accounts.google.com/o/oauth2/v2/auth?client_id=0123456789-abcdefghijklmnopqrstuvwxyz.apps.googleusercontent.com&redirect_uri=http%3A%2F%2F127.0.0.1%3A45871%2Fcallback&response_type=code&scope=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fgmail.readonly',
        },
      }),
    ],
  }),
  'an attempt failed, another was cancelled': connectorsScene({
    host: hostOf(...notYet),
    flows: [
      attempt('kajabi', {
        step: 'check',
        state: 'fail',
        over: {
          end: failedWith(
            'connector_refused',
            'Kajabi sent the check to its sign-in page. The secret on the host is unchanged.',
          ),
        },
      }),
      attempt('gmail', {
        mode: 'imap',
        step: 'check',
        state: 'fail',
        over: {
          end: {
            state: 'cancelled',
            at: ago(8),
            message: 'Cancelled. The secret on the host is unchanged.',
            error_class: null,
            next_auto_fix: null,
          },
        },
      }),
    ],
  }),
  'just connected': connectorsScene({
    host: hostOf(ready.kajabi, ready.gmail),
    flows: [
      attempt('kajabi', {
        step: 'prove',
        state: 'pass',
        over: {
          run_id: idAt(9, 'f1a1f1a1'),
          end: {
            state: 'ready',
            at: ago(8),
            message: 'The host proved that the service accepts it.',
            error_class: null,
            next_auto_fix: null,
          },
        },
      }),
    ],
  }),
  'refused and expired': connectorsScene({
    host: hostOf(report('kajabi', 'expired'), report('gmail', 'invalid')),
    kept: ['gmail.client'],
  }),
  'one unreachable, one ends soon': connectorsScene({
    host: hostOf(
      report('kajabi', 'ready', { expires_at: ahead(3 * 86_400 + 600) }),
      report('gmail', 'unreachable'),
    ),
  }),
  'a new secret to prove': connectorsScene({
    host: hostOf(ready.kajabi, report('gmail', 'not_configured'), {
      details: [
        detail('kajabi', ['ready']),
        detail('gmail', ['not_configured'], {
          candidate: { kind: 'oauth', stored_at: ago(300) },
        }),
      ],
    }),
  }),
  'all ready': connectorsScene({
    host: hostOf(ready.kajabi, ready.gmail),
    kept: ['gmail.client'],
  }),
  'Phase 0 passed': connectorsScene({
    host: hostOf(ready.kajabi, ready.gmail, { last_phase0: phase0() }),
  }),
  'Phase 0 failed': connectorsScene({
    host: hostOf(ready.kajabi, ready.gmail, {
      last_phase0: phase0({ overall: 'FAIL', error_class: 'CONNECTOR_NOT_CONFIGURED' }),
    }),
  }),
  'a check runs': withStatus(connectorsScene({ host: hostOf(ready.kajabi, ready.gmail) }), {
    active_runs: [
      run({
        run_id: idAt(4, 'c0dec0de'),
        action: 'connectors_status',
        lane: 'status',
        status: 'running',
        finished_at: null,
      }),
    ],
  }),
  'the host is away': {
    ...away,
    answers: {
      ...away.answers,
      'overview.get': {
        ...awayOverview,
        connection: {
          ...awayOverview.connection,
          state: 'offline',
          detail: 'aiops-1 does not answer: nothing listens at its address.',
          as_of: ago(252),
        },
      },
    },
  },
  'no host is enrolled': (() => {
    const story = connectorsScene({
      host: null,
      as_of: null,
      problem: {
        error_class: 'host_not_enrolled',
        message: 'No host is enrolled, so no request was sent.',
        next_auto_fix: 'enrol_host',
      },
    })
    const overview = story.answers['overview.get'] as { connection: object }
    return {
      ...story,
      answers: {
        ...story.answers,
        'overview.get': {
          ...overview,
          connection: {
            ...overview.connection,
            name: null,
            url: null,
            state: 'not_enrolled',
            detail: 'No host is enrolled.',
            as_of: null,
          },
          status: null,
        },
      },
    }
  })(),
}

export function connectorStory(name: string): Scene {
  const found = connectorStories[name]
  if (found === undefined) throw new Error(`no story ${name}`)
  return found
}

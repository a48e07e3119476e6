/** The Connectors page in each of its states. */
import type { ConnectorsView } from '#shared/bridge'
import {
  ahead,
  attempt,
  connectorsScene,
  detail,
  failedWith,
  hostOf,
  report,
} from './connector-scenes.ts'
import { ago, idAt } from './documents.ts'
import { run, type Scene } from './scenes.ts'

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
  'a device code is refused': connectorsScene({
    host: hostOf(...notYet),
    flows: [
      attempt('kajabi', { details: { open: 'Chromium, 43 of 128 MB' } }),
      attempt('gmail', {
        mode: 'oauth_device',
        step: 'code',
        state: 'fail',
        over: {
          end: failedWith(
            'connector_scope_missing',
            'Google allows no Gmail scope with a device code (invalid_scope): connect by the way "Desktop".',
          ),
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
  'Phase 0 runs': withStatus(connectorsScene({ host: hostOf(ready.kajabi, ready.gmail) }), {
    active_runs: [
      run({
        run_id: idAt(40, 'fa5e0001'),
        action: 'phase0',
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

/** The card of a connector that a host may do without, in each of its states. */
import type { ConnectorDetail } from '#shared/connectors'
import { ago, idAt } from './documents.ts'
import { attempt, connectorsScene, hostOf, report } from './connector-scenes.ts'
import type { Scene } from './scenes.ts'

const url = 'https://api.example.com/v1/me'
const settings = {
  mode: 'header',
  url,
  title: 'Billing',
  header: 'X-Api-Key',
  scheme: '',
  expected_status: [200, 204],
}
const detail = (over: Partial<ConnectorDetail> = {}): ConnectorDetail => ({
  name: 'http_token',
  mode: 'header',
  settings: { ...settings, url: null },
  candidate: null,
  history: [],
  ...over,
})
const both = [report('kajabi', 'ready'), report('gmail', 'ready')] as const

/** @param found what the host found at it; null: it does without */
function tokenScene(
  found: ReturnType<typeof report> | null,
  over: Partial<ConnectorDetail>,
  flows: ReturnType<typeof attempt>[] = [],
): Scene {
  const host = hostOf(...both)
  return connectorsScene({
    host: {
      ...host,
      connectors: [...both, ...(found === null ? [] : [found])],
      details: [...(host.details ?? []), detail(over)],
    },
    flows,
  })
}

const refused = attempt('http_token', {
  step: 'prove',
  state: 'fail',
  details: { send: 'beside the one in use' },
  over: {
    run_id: idAt(9, 'f1a1f1a1'),
    end: {
      state: 'failed',
      at: ago(8),
      message:
        'invalid. api.example.com refused the token (401). The new secret was removed; there is none in use.',
      error_class: 'connector_refused',
      next_auto_fix: 'connect_again',
    },
  },
})
const history: ConnectorDetail['history'] = [
  { run_id: idAt(180, 'c0de3000'), checked_at: ago(180), state: 'ready', error_class: null },
]

/** The form that begins with these settings, filled in. */
export const tokenForm = {
  url,
  access_token: 'tok-canary-0123456789',
  title: 'Billing',
  header: 'X-Api-Key',
  scheme: '',
  expected_status: '200, 204',
} as const

export const tokenStories = {
  unused: tokenScene(null, {}),
  sending: tokenScene(null, {}, [attempt('http_token', { step: 'prove' })]),
  refused: tokenScene(null, {}, [refused]),
  waiting: tokenScene(null, { candidate: { kind: 'token', stored_at: ago(300) } }),
  ready: tokenScene(report('http_token', 'ready'), { settings, history }),
  invalid: tokenScene(report('http_token', 'invalid'), { settings, history }),
} as const

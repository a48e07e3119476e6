import type { DiagnosisId, Diagnosis, HostConnection } from '#shared/host-connection'
import type { HostView } from '#shared/host-procedures'
import { diagnose, rungsOf } from '../../../../desktop/operator/host/diagnose.ts'
import { fine, observed } from '../../../support/observations.ts'
import { ago } from './documents.ts'
import { overview, scene, status, type Scene } from './scenes.ts'

const url = 'https://aiops-1.tail1.ts.net'
const now = (): string => ago(0)

/** The first row of the table of observations that leads to a diagnosis, judged as HQ judges it. */
export function diagnosed(id: DiagnosisId): Diagnosis {
  const row = observed.find((each) => each[2] === id)
  const seen = { ...fine, ...row?.[1] }
  const finding = diagnose(seen)
  if (finding?.id !== id) throw new Error(`nothing that is observed leads to ${id}`)
  return {
    id,
    detail: finding.observed,
    rungs: rungsOf(seen, finding),
    page: 'https://login.tailscale.com/admin/machines',
    change: seen.change,
    at: now(),
    took_ms: 1200,
  }
}

const tailnet: NonNullable<HostConnection['tailnet']> = {
  address: '100.96.14.7',
  online: true,
  path: 'direct',
  relay: null,
  key_expires: ago(-152 * 86_400),
  key_expired: false,
  os: 'linux',
  last_seen: null,
}
const online: HostConnection = {
  name: 'aiops-1',
  url,
  state: 'online',
  detail: null,
  latency_ms: 12,
  as_of: now(),
  tailnet,
  diagnosis: null,
}

const view = (name: string, address: string, over: Partial<HostConnection>): HostView => ({
  name,
  url: `https://${name}.tail1.ts.net`,
  selected: false,
  token_set: true,
  pinned_at: ago(86_400),
  connection: {
    ...online,
    name,
    url: `https://${name}.tail1.ts.net`,
    tailnet: { ...tailnet, address },
    ...over,
  },
  status: status(),
})

/** Warnings are of hosts that answer. */
const warns: readonly DiagnosisId[] = ['clock_skew', 'relay_slow']

/** Three hosts, the selected one with this diagnosis; null: it answers. */
export function hosts(id: DiagnosisId | null): Scene {
  const away = id !== null && !warns.includes(id)
  const connection: HostConnection = {
    ...online,
    ...(away
      ? { state: 'offline', detail: 'It does not answer.', latency_ms: null, as_of: ago(252) }
      : {}),
    ...(id === 'relay_slow'
      ? { latency_ms: 148, tailnet: { ...tailnet, path: 'relayed', relay: 'fra' } }
      : {}),
    ...(id === 'host_key_expired'
      ? { tailnet: { ...tailnet, key_expires: ago(252), key_expired: true } }
      : {}),
    diagnosis: id === null ? null : diagnosed(id),
  }
  const all: HostView[] = [
    { ...view('aiops-1', '100.96.14.7', connection), selected: true },
    view('edge-3', '100.96.14.22', {
      latency_ms: 148,
      tailnet: {
        ...tailnet,
        address: '100.96.14.22',
        path: 'relayed',
        relay: 'fra',
        key_expires: ago(-9 * 86_400),
      },
      diagnosis: diagnosed('relay_slow'),
    }),
    view('build-2', '100.96.14.31', {}),
  ]
  return scene({
    'overview.get': overview({
      connection,
      hosts: all.map(({ name, selected, connection: each }) => ({
        name,
        url: each.url ?? '',
        selected,
        state: each.state,
        as_of: each.as_of,
        diagnosis: each.diagnosis ?? null,
      })),
    }),
    'hosts.list': {
      hosts: all,
      tailnet: { state: 'running', version: '1.102.5', name: 'laptop.tail1.ts.net' },
    },
    'hosts.discover': {
      tailnet: { state: 'running', version: '1.102.5', name: 'laptop.tail1.ts.net' },
      read_at: ago(9),
      machines: [
        machine('staging-4', { hostd: true, latency_ms: 15, path: 'direct' }),
        machine('lab-1', { hostd: false, path: 'direct' }),
        machine('nas', { online: false, last_seen: ago(3 * 86_400) }),
      ],
    },
    'hosts.select': { ok: true },
    'hosts.agree': { ok: true },
    'hosts.remove': { ok: true },
    'hosts.remedy': { said: null },
  })
}

const machine = (name: string, over: object): object => ({
  name,
  url: `https://${name}.tail1.ts.net`,
  os: 'linux',
  online: true,
  path: null,
  last_seen: null,
  hostd: null,
  latency_ms: null,
  ...over,
})

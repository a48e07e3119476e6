import { describe, expect, it } from 'vitest'
import { hostSettings } from '#shared/config'
import {
  allReady,
  connectorReportsOf,
  connectorsResult,
  type ConnectorReport,
} from '#shared/connectors'
import {
  connectorModes,
  connectorNames,
  connectors,
  type ConnectorName,
} from '#shared/connectors/list'
import { isSecretName } from '#ops/base/redact/credential-places'

const report = (name: ConnectorName, state: 'ready' | 'expired' = 'ready'): ConnectorReport => ({
  name,
  mode: connectors[name].modes[0],
  state,
  error_class: state === 'ready' ? null : 'connector_expired',
  next_auto_fix: state === 'ready' ? null : 'connect_again',
  detail: 'Checked.',
  checked_at: '2026-11-29T12:00:00.000Z',
  duration_ms: 12,
})
const all = connectorNames.map((name) => report(name))
const [first, second] = all as [ConnectorReport, ConnectorReport]

const document = (reports: readonly ConnectorReport[]) => ({
  schema_version: 1,
  run_id: '20261129T120000Z-0123abcd',
  overall: 'PASS',
  step_failed: null,
  error_class: null,
  next_auto_fix: null,
  started_at: '2026-11-29T12:00:00.000Z',
  finished_at: '2026-11-29T12:00:01.000Z',
  artifacts: {},
  git_head: 'a'.repeat(40),
  git_tree: null,
  steps: [],
  kind: 'phase0',
  checks: [],
  connectors: reports,
})

describe('the list of connectors', () => {
  it('gives each connector its settings in host.json, with a default that names one of its modes', () => {
    const settings = hostSettings.parse({})
    for (const name of connectorNames) {
      expect(connectors[name].modes).toContain(settings[name].mode)
      expect(settings[name].timeout_seconds).toBeGreaterThan(0)
    }
    expect([...connectorNames, ...connectorModes]).toEqual([
      'kajabi',
      'gmail',
      'http_token',
      'storage_state',
      'oauth_desktop',
      'oauth_device',
      'imap',
      'header',
    ])
  })

  it('names the fields that redaction hides', () => {
    for (const name of Object.values(connectors).flatMap(({ secretNames }) => [...secretNames]))
      expect(isSecretName(name.toUpperCase())).toBe(true)
    expect(isSecretName('GMAIL_APP_PASSWORD')).toBe(true)
    expect(isSecretName('GMAIL_USER')).toBe(false)
  })
})

describe('reports of connectors', () => {
  it('of a check name each connector once, in order', () => {
    expect(connectorReportsOf(connectorNames).safeParse(all).success).toBe(true)
    for (const wrong of [[], [first], [second, first], [first, first], [...all, second]])
      expect(connectorReportsOf(connectorNames).safeParse(wrong).success).toBe(false)
  })

  it('that were stored may lack a connector that came later, and are refused when they are mixed up', () => {
    for (const stored of [all, [first], [second]])
      expect(connectorsResult.safeParse(document(stored)).error).toBeUndefined()
    for (const wrong of [[], [second, first], [first, first]])
      expect(connectorsResult.safeParse(document(wrong)).success).toBe(false)
  })

  it('are ready when every connector is named and ready', () => {
    const ready = (reports: readonly ConnectorReport[]) => allReady(connectorNames, reports)
    expect(ready(all)).toBe(true)
    expect(ready([first])).toBe(false)
    expect(ready([first, report(second.name, 'expired')])).toBe(false)
    expect(ready([])).toBe(false)
    expect(allReady([first.name], [first])).toBe(true)
  })
})

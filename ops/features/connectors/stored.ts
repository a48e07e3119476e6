import { connectors, type ConnectorMode, type ConnectorName } from '#shared/connectors/list'
import type { ConnectorsResult } from '#shared/connectors'
import type { CheckResult } from '#shared/result'
import { connectorFileRule, wrongWith } from '#ops/base/files/file-rule'
import { connectorSecrets } from '#ops/base/paths/connector-paths'
import type { HostPaths } from '#ops/base/paths/paths'
import { readHostSettings } from '#ops/core/config/settings-files'
import { resultFieldsOf } from '#ops/core/pipeline/documents'
import { candidateOf, type SecretFolder } from './common/secret-folder.ts'
import type { DocumentFacts } from './document.ts'
import { requireMode } from './host-mode.ts'
import { secretsOf, type NamedSecret } from './secret-files.ts'
import { withSecrets } from './store-secret.ts'

interface Request {
  readonly paths: HostPaths
  readonly name: ConnectorName
  /** How the host shall sign in; null: as its settings say. */
  readonly mode: ConnectorMode | null
}

type About = Omit<DocumentFacts, 'kind'>

/**
 * Says what the host waits for, so that somebody without HQ's page can bring it. Nothing is changed.
 * @throws {Problem} `invalid_request` for a mode that the connector does not have; `config_invalid`
 */
export function connectorStart(about: About, { paths, name, mode }: Request): ConnectorsResult {
  const settings = readHostSettings(paths)
  const wanted = mode ?? settings[name].mode
  requireMode(name, wanted)
  const folder = connectorSecrets(paths)
  const files = secretsOf(name, settings)
    .filter(({ modes }) => modes.includes(wanted))
    .map((each) => `${folder}/${each.name}`)
  const { title } = connectors[name]
  return {
    ...resultFieldsOf(about, null),
    kind: 'connector_start',
    checks: [],
    connectors: null,
    detail:
      `${title} (${wanted}) waits for a sign-in from HQ on a laptop, on its page Connectors, ` +
      `or for ${files.join(' and ')}. What arrives is proved by finalize. Nothing was changed.`,
  }
}

/**
 * Says which secrets lie on the host, by their files alone: none is read and no service is requested.
 * @returns FAIL, `CONNECTOR_NOT_CONFIGURED`, when one is missing
 * @throws {Problem} as `withSecrets`; `invalid_request` for a mode that the connector does not have
 */
export async function connectorStatus(
  about: About,
  { paths, name, mode }: Request,
): Promise<ConnectorsResult> {
  return await withSecrets(paths, { name }, ({ folder, settings, strict }) => {
    const wanted = mode ?? settings[name].mode
    requireMode(name, wanted)
    const checks = secretsOf(name, settings)
      .filter(({ modes }) => modes.includes(wanted))
      .map((secret) => stored(secret, { folder, path: connectorSecrets(paths), strict }))
    const missing = checks.some(({ status }) => status === 'FAIL')
    return {
      ...resultFieldsOf(
        about,
        missing ? { step: name, errorClass: 'CONNECTOR_NOT_CONFIGURED' } : null,
      ),
      kind: 'connector_status',
      checks,
      connectors: null,
    }
  })
}

interface Place {
  readonly folder: SecretFolder
  readonly path: string
  readonly strict: boolean
}

function stored({ kind, name }: NamedSecret, { folder, path, strict }: Place): CheckResult {
  const waiting = folder.stat(candidateOf(name))
  const live = folder.stat(name)
  const wrong = live === null ? null : wrongWith(connectorFileRule(`${path}/${name}`), live, strict)
  const said = [
    live === null ? `${path}/${name} does not exist.` : `${name}, ${live.mtime.toISOString()}.`,
    ...(waiting === null
      ? []
      : [`A new one waits for its proof since ${waiting.mtime.toISOString()}.`]),
    ...(wrong === null ? [] : [`${wrong}.`]),
  ]
  const there = live !== null || waiting !== null
  return {
    name: kind,
    status: there ? 'PASS' : 'FAIL',
    detail: said.join(' '),
    remedy: there ? null : 'connect_connectors',
    duration_ms: 0,
  }
}

import { connectors, type ConnectorMode, type ConnectorName } from '#shared/connectors/list'
import type { ConnectorReport, ConnectorsResult } from '#shared/connectors'
import type { ErrorClass } from '#shared/errors'
import type { HostPaths } from '#ops/base/paths/paths'
import { readHostFile } from '#ops/core/config/host-files'
import { resultFieldsOf } from '#ops/core/pipeline/documents'
import { checkOneAsSecretOwner } from './check-as-secret-owner.ts'
import { candidateOf, type SecretFolder } from './common/secret-folder.ts'
import { toCheck, type DocumentFacts } from './document.ts'
import { requireMode, withMode, writeHostFile } from './host-mode.ts'
import { secretsOf, type NamedSecret } from './secret-files.ts'
import { withSecrets, type SecretWork } from './store-secret.ts'

interface Finalize {
  readonly paths: HostPaths
  readonly name: ConnectorName
  /** How the host shall sign in; null: as its settings say. */
  readonly mode: ConnectorMode | null
  readonly signal: AbortSignal
}

/** The service, or the file itself, says that this secret is of no use. Otherwise it waits for the next proof. */
const useless: ReadonlySet<ErrorClass> = new Set([
  'connector_secret_invalid',
  'connector_secret_unsafe',
  'connector_refused',
  'connector_scope_missing',
  'connector_expired',
])

/**
 * Proves a secret live: the candidate when there is one, else what lies on the host. A candidate replaces the secret in
 * use only when the service accepted it, and the settings of the host name its mode from then on.
 * @returns PASS when the service accepted it; `connectors` says how the connector is now
 * @throws {Problem} as `withSecrets` and `checkOneAsSecretOwner`; `invalid_request` for a mode it does not have
 */
export async function finalizeConnector(
  about: Omit<DocumentFacts, 'kind'>,
  { paths, name, mode, signal }: Finalize,
): Promise<ConnectorsResult> {
  return await withSecrets(paths, async (secrets) => {
    const { folder, settings } = secrets
    const file = readHostFile(paths)
    const wanted = mode ?? modeToProve(name, secrets)
    requireMode(name, wanted)
    const files = secretsOf(name, settings).filter(({ modes }) => modes.includes(wanted))
    for (const each of files) adopt(folder, each)
    const waiting = files.filter((each) => folder.stat(candidateOf(each.name)) !== null)
    const check = (candidates: boolean): Promise<ConnectorReport> => {
      const settingsToUse = candidates ? withMode(file, name, wanted) : file
      return checkOneAsSecretOwner({
        paths,
        signal,
        name,
        candidates,
        secrets,
        file: settingsToUse,
      })
    }

    const report = await check(true)
    if (report.state === 'ready') {
      for (const each of waiting) folder.rename(candidateOf(each.name), each.name)
      // Read again: a person may have edited it during the check.
      if (wanted !== settings[name].mode)
        writeHostFile(paths, withMode(readHostFile(paths), name, wanted))
      return documentOf(about, { proved: report, now: report, ends: endOfReady(name, waiting) })
    }
    const removed = report.error_class !== null && useless.has(report.error_class)
    if (removed) for (const each of waiting) folder.remove(candidateOf(each.name))
    const isOther = waiting.length > 0 || wanted !== settings[name].mode
    const now = isOther ? await check(false) : report
    const ends = endOfFailed({ folder, files, waiting, removed })
    return documentOf(about, { proved: report, now, ends })
  })
}

/** The mode of the settings, unless only a secret of another mode waits for its proof. */
function modeToProve(name: ConnectorName, { folder, settings }: SecretWork): string {
  const waiting = secretsOf(name, settings).filter(
    (each) => folder.stat(candidateOf(each.name)) !== null,
  )
  const { mode } = settings[name]
  if (waiting.length === 0 || waiting.some(({ modes }) => modes.includes(mode))) return mode
  return waiting[0]?.modes[0] ?? mode
}

/**
 * A file that was put in the place of the secret by hand becomes the candidate, with the owner and mode it must have,
 * unless a later one waits.
 */
function adopt(folder: SecretFolder, { name, validate }: NamedSecret): void {
  const candidate = candidateOf(name)
  const waiting = folder.stat(candidate)
  const bytes = folder.readByHand(name)
  if (bytes === null || (waiting?.mtimeMs ?? 0) > (folder.stat(name)?.mtimeMs ?? 0)) return
  validate(bytes)
  folder.write(candidate, bytes)
}

const endOfReady = (name: ConnectorName, waiting: readonly NamedSecret[]): string =>
  waiting.length > 0
    ? `The host uses the new secret of ${connectors[name].title} now.`
    : 'It was proved where it lies.'

interface Failed {
  readonly folder: SecretFolder
  readonly files: readonly NamedSecret[]
  readonly waiting: readonly NamedSecret[]
  readonly removed: boolean
}

/** What became of the new secret, and of the one in use. */
function endOfFailed({ folder, files, waiting, removed }: Failed): string {
  if (waiting.length === 0) return ''
  const old = files.some(({ name }) => folder.stat(name) !== null)
    ? 'the one in use is unchanged'
    : 'there is none in use'
  return removed
    ? `The new secret was removed; ${old}.`
    : `The new secret waits on the host for the next proof; ${old}.`
}

interface Outcome {
  /** The secret that was to be proved. */
  readonly proved: ConnectorReport
  /** The connector as the host uses it now. */
  readonly now: ConnectorReport
  readonly ends: string
}

function documentOf(
  about: Omit<DocumentFacts, 'kind'>,
  { proved, now, ends }: Outcome,
): ConnectorsResult {
  const failure =
    proved.error_class === null ? null : { step: proved.name, errorClass: proved.error_class }
  const check = toCheck(proved)
  return {
    ...resultFieldsOf(about, failure),
    kind: 'connector_finalize',
    checks: [{ ...check, detail: `${check.detail} ${ends}`.trim() }],
    connectors: [now],
  }
}

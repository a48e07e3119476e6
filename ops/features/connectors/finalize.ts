import { connectors, type ConnectorMode, type ConnectorName } from '#shared/connectors/list'
import type { ConnectorReport, ConnectorsResult } from '#shared/connectors'
import { isUsed } from '#shared/connectors/used'
import type { ErrorClass } from '#shared/errors'
import type { HostPaths } from '#ops/base/paths/paths'
import { readHostFile } from '#ops/core/config/host-files'
import { resultFieldsOf } from '#ops/core/pipeline/documents'
import { checkOneAsSecretOwner } from './check-as-secret-owner.ts'
import type { ConnectorChange } from './common/read-secret.ts'
import { candidateOf, type SecretFolder } from './common/secret-folder.ts'
import { toCheck, type DocumentFacts } from './document.ts'
import { requireMode, withSettings, writeHostFile } from './host-mode.ts'
import { secretsOf, type NamedSecret } from './secret-files.ts'
import { withSecrets, withSharedFiles, type SecretWork } from './store-secret.ts'

interface Finalize {
  readonly paths: HostPaths
  readonly name: ConnectorName
  /** How the host shall sign in; null: as its settings say. */
  readonly mode: ConnectorMode | null
  readonly signal: AbortSignal
}

/** The service, or the file itself, says that a secret is of no use. Otherwise it waits for the next proof. */
const uselessBy: ReadonlySet<ErrorClass> = new Set([
  'connector_secret_invalid',
  'connector_secret_unsafe',
  'connector_refused',
  'connector_scope_missing',
  'connector_expired',
])

/**
 * Proves a secret live: the candidate when there is one, else what lies on the host. A candidate replaces the secret in
 * use only when the service accepted it; host.json has its mode, and the settings that came with it, from then on.
 * @returns PASS when the service accepted it; `connectors` says how the connector is now
 * @throws {Problem} as `withSecrets` and `checkOneAsSecretOwner`; `invalid_request` for a mode it does not have
 */
export async function finalizeConnector(
  about: Omit<DocumentFacts, 'kind'>,
  { paths, name, mode, signal }: Finalize,
): Promise<ConnectorsResult> {
  return await withSecrets(paths, { name }, async (secrets) => {
    const { folder, settings } = secrets
    const file = readHostFile(paths)
    const wanted = mode ?? modeToProve(name, secrets)
    requireMode(name, wanted)
    const files = secretsOf(name, settings).filter(({ modes }) => modes.includes(wanted))
    const byHand = files.filter((each) => adopt(folder, each)).length > 0
    const waiting = files.filter((each) => folder.stat(candidateOf(each.name)) !== null)
    const change = { ...broughtBy(secrets, { name, files, waiting }), mode: wanted }
    const check = (candidates: boolean): ReturnType<typeof checkOneAsSecretOwner> => {
      const fileToUse = candidates ? withSettings(file, name, change) : file
      return checkOneAsSecretOwner({ paths, signal, name, candidates, secrets, file: fileToUse })
    }

    const { report, about: verdictOn } = await check(true)
    if (report.state === 'ready') {
      for (const each of waiting) folder.rename(candidateOf(each.name), each.name)
      if (wanted !== settings[name].mode || Object.keys(change).length > 1)
        await withSharedFiles(paths, () =>
          // Read again: a person, or the proof of another connector, may have edited it during the check.
          writeHostFile(
            paths,
            withSettings(readHostFile(paths), name, change),
            'The new secret is in use',
          ),
        )
      return documentOf(about, { proved: report, now: report, ends: endOfReady(name, waiting) })
    }
    const useless = report.error_class !== null && uselessBy.has(report.error_class)
    const removed = useless && isOnlyAbout(waiting, verdictOn.length > 0 ? verdictOn : null, files)
    if (removed) for (const each of waiting) folder.remove(candidateOf(each.name))
    const isOther = waiting.length > 0 || wanted !== settings[name].mode
    const now = isOther ? (await check(false)).report : report
    const ends = endOfFailed({ folder, files, waiting, removed, byHand, useless })
    return documentOf(about, { proved: report, now, ends })
  })
}

/**
 * Is a verdict about new secrets alone? A fault of one in use says nothing about those that wait: they stay then. What
 * was sent together is of no use without each other.
 * @param files that the verdict is about; null: all that were used
 */
function isOnlyAbout(
  waiting: readonly NamedSecret[],
  files: readonly string[] | null,
  used: readonly NamedSecret[],
): boolean {
  if (waiting.length === 0) return false
  const candidates = waiting.map(({ name }) => candidateOf(name))
  return files === null
    ? waiting.length === used.length
    : files.every((file) => candidates.includes(file))
}

interface Files {
  readonly name: ConnectorName
  readonly files: readonly NamedSecret[]
  readonly waiting: readonly NamedSecret[]
}

/**
 * The settings that come with the secrets to prove. Those of a secret in use count only on a host that does without
 * the connector until now: elsewhere a person may have changed them since.
 */
function broughtBy(
  { folder, settings }: SecretWork,
  { name, files, waiting }: Files,
): ConnectorChange {
  const inUse = isUsed(name, settings[name]) ? [] : files
  const lie = waiting.length > 0 ? waiting : inUse
  const brought = lie.map((each) => {
    const bytes = folder.read(waiting.length > 0 ? candidateOf(each.name) : each.name)
    return bytes === null ? {} : each.settings(bytes)
  })
  return Object.assign({}, ...brought) as ConnectorChange
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
 * unless a later one waits. It leaves its place: only what was proved lies there.
 * @returns whether there was such a file
 */
function adopt(folder: SecretFolder, { name }: NamedSecret): boolean {
  const candidate = candidateOf(name)
  const waiting = folder.stat(candidate)
  const bytes = folder.readByHand(name)
  if (bytes === null || (waiting?.mtimeMs ?? 0) > (folder.stat(name)?.mtimeMs ?? 0)) return false
  folder.write(candidate, bytes)
  folder.remove(name)
  return true
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
  /** What waits was put there by hand. */
  readonly byHand: boolean
  readonly useless: boolean
}

/** What became of the new secret, and of the one in use. */
function endOfFailed(failed: Failed): string {
  const { folder, files, waiting, removed, byHand, useless } = failed
  const isThere = files.some(({ name }) => folder.stat(name) !== null)
  if (waiting.length === 0)
    return useless && isThere ? 'It stays on the host until a new one replaces it.' : ''
  const old = isThere ? 'the one in use is unchanged' : 'there is none in use'
  const what = byHand ? 'The file that was put there by hand' : 'The new secret'
  return removed
    ? `${what} was removed; ${old}.`
    : `${what} waits on the host for the next proof; ${old}.`
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

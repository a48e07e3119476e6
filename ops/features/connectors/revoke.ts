import { rmSync } from 'node:fs'
import type { ConnectorReport, ConnectorsResult } from '#shared/connectors'
import { connectors, type ConnectorMode, type ConnectorName } from '#shared/connectors/list'
import { configuredBy } from '#shared/connectors/used'
import { errorRule } from '#shared/errors'
import type { HostPaths } from '#ops/base/paths/paths'
import { readHostFile } from '#ops/core/config/host-files'
import { unfinishedHarvest } from '#ops/core/host-state/unfinished-harvest'
import { resultFieldsOf } from '#ops/core/pipeline/documents'
import { withdrawAsSecretOwner } from './check-as-secret-owner.ts'
import { candidateOf } from './common/secret-folder.ts'
import type { DocumentFacts } from './document.ts'
import { withSettings, writeHostFile } from './host-mode.ts'
import { secretsOf } from './secret-files.ts'
import { withSecrets, withSharedFiles } from './store-secret.ts'
import type { Withdrawal } from './withdraw-connector.ts'

interface Revoke {
  readonly paths: HostPaths
  readonly name: ConnectorName
  readonly signal: AbortSignal
}

/**
 * Deletes every secret of a connector, those that wait for their proof too, and has the service forget them where it
 * can.
 * @returns PASS when none is left; `connectors` says how the connector is now
 * @throws {Problem} as `withSecrets` and `withdrawAsSecretOwner`
 */
export async function revokeConnector(
  about: Omit<DocumentFacts, 'kind'>,
  { paths, name, signal }: Revoke,
): Promise<ConnectorsResult> {
  return await withSecrets(paths, { name }, async (secrets) => {
    const { folder, settings } = secrets
    const started = performance.now()
    const file = readHostFile(paths)
    const withdrawn = await withdrawAsSecretOwner({ paths, signal, name, file, secrets })
    const removed = secretsOf(name, settings)
      .flatMap((each) => [each.name, candidateOf(each.name)])
      .filter((each) => folder.remove(each))
    await withSharedFiles(paths, () => doWithout(paths, name))
    if (name === 'gmail') rmSync(unfinishedHarvest(paths), { force: true })
    const { title } = connectors[name]
    const here =
      removed.length > 0
        ? `Deleted ${removed.join(', ')}. The host has no secret of ${title} any more.`
        : `The host had no secret of ${title}. Nothing was deleted.`
    return {
      ...resultFieldsOf(about, null),
      kind: 'connector_revoke',
      checks: [
        {
          name,
          status: withdrawn.done === false ? 'WARN' : 'PASS',
          detail: [here, ...atService(title, removed.length > 0 ? withdrawn : null)].join(' '),
          remedy: withdrawn.done === false ? 'withdraw_at_service' : null,
          duration_ms: Math.round(performance.now() - started),
        },
      ],
      // Nothing is left that could be checked.
      connectors: [notConfigured(name, settings[name].mode)],
    }
  })
}

/** A host does without an optional connector again. */
function doWithout(paths: HostPaths, name: ConnectorName): void {
  const setting = configuredBy(name)
  if (setting === null) return
  const changed = withSettings(readHostFile(paths), name, { [setting]: null })
  writeHostFile(paths, changed, 'The secret was deleted')
}

const notConfigured = (name: ConnectorName, mode: ConnectorMode): ConnectorReport => ({
  name,
  mode,
  state: 'not_configured',
  error_class: 'CONNECTOR_NOT_CONFIGURED',
  next_auto_fix: errorRule('CONNECTOR_NOT_CONFIGURED').next_auto_fix,
  detail: `The secrets of ${connectors[name].title} were deleted.`,
  checked_at: new Date().toISOString(),
  duration_ms: 0,
})

/** What the person knows of the service. @param withdrawn null: there was no secret */
function atService(title: string, withdrawn: Withdrawal | null): string[] {
  if (withdrawn === null) return []
  if (withdrawn.done === true) return [withdrawn.detail]
  const open = 'The service may still accept it until you withdraw it or end the session there.'
  return withdrawn.done === null ? [open] : [`${title} did not confirm: ${withdrawn.detail}`, open]
}

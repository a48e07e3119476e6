import type { ConnectorsResult } from '#shared/connectors'
import { connectors, type ConnectorName } from '#shared/connectors/list'
import type { HostPaths } from '#ops/base/paths/paths'
import { readHostFile } from '#ops/core/config/host-files'
import { resultFieldsOf } from '#ops/core/pipeline/documents'
import { checkOneAsSecretOwner, withdrawAsSecretOwner } from './check-as-secret-owner.ts'
import { candidateOf } from './common/secret-folder.ts'
import type { DocumentFacts } from './document.ts'
import { secretsOf } from './secret-files.ts'
import { withSecrets } from './store-secret.ts'
import type { Withdrawal } from './withdraw-connector.ts'

interface Revoke {
  readonly paths: HostPaths
  readonly name: ConnectorName
  readonly signal: AbortSignal
}

/**
 * Deletes every secret of a connector, those that wait for their proof too, and has the service forget the one in use
 * where it can.
 * @returns PASS when none is left; `connectors` says how the connector is now
 * @throws {Problem} as `withSecrets` and `checkOneAsSecretOwner`
 */
export async function revokeConnector(
  about: Omit<DocumentFacts, 'kind'>,
  { paths, name, signal }: Revoke,
): Promise<ConnectorsResult> {
  return await withSecrets(paths, async (secrets) => {
    const { folder, settings } = secrets
    const started = performance.now()
    const file = readHostFile(paths)
    const withdrawn = await withdrawAsSecretOwner({ paths, signal, name, file })
    const removed = secretsOf(name, settings)
      .flatMap((each) => [each.name, candidateOf(each.name)])
      .filter((each) => folder.remove(each))
    const now = await checkOneAsSecretOwner({
      paths,
      signal,
      name,
      candidates: false,
      secrets,
      file,
    })
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
      connectors: [now],
    }
  })
}

/** What the person knows of the service. @param withdrawn null: there was no secret */
function atService(title: string, withdrawn: Withdrawal | null): string[] {
  if (withdrawn === null) return []
  if (withdrawn.done === true) return [withdrawn.detail]
  const open = `${title} may still accept it until you end the session in your account there.`
  return withdrawn.done === null ? [open] : [`${title} did not confirm: ${withdrawn.detail}`, open]
}

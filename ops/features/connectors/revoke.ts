import type { ConnectorsResult } from '#shared/connectors'
import { connectors, type ConnectorName } from '#shared/connectors/list'
import type { HostPaths } from '#ops/base/paths/paths'
import { readHostFile } from '#ops/core/config/host-files'
import { resultFieldsOf } from '#ops/core/pipeline/documents'
import { checkOneAsSecretOwner } from './check-as-secret-owner.ts'
import { candidateOf } from './common/secret-folder.ts'
import type { DocumentFacts } from './document.ts'
import { secretsOf } from './secret-files.ts'
import { withSecrets } from './store-secret.ts'

interface Revoke {
  readonly paths: HostPaths
  readonly name: ConnectorName
  readonly signal: AbortSignal
}

/**
 * Deletes every secret of a connector, those that wait for their proof too.
 * @returns PASS when none is left; `connectors` says how the connector is now
 * @throws {Problem} as `withSecrets` and `checkOneAsSecretOwner`
 */
export async function revokeConnector(
  about: Omit<DocumentFacts, 'kind'>,
  { paths, name, signal }: Revoke,
): Promise<ConnectorsResult> {
  return await withSecrets(paths, async ({ folder, settings }) => {
    const started = performance.now()
    const removed = secretsOf(name, settings)
      .flatMap((each) => [each.name, candidateOf(each.name)])
      .filter((each) => folder.remove(each))
    const file = readHostFile(paths)
    const now = await checkOneAsSecretOwner({ paths, signal, name, candidates: false, file })
    const { title } = connectors[name]
    return {
      ...resultFieldsOf(about, null),
      kind: 'connector_revoke',
      checks: [
        {
          name,
          status: 'PASS',
          detail:
            removed.length > 0
              ? `Deleted ${removed.join(', ')}. The host has no secret of ${title} any more.`
              : `The host had no secret of ${title}. Nothing was deleted.`,
          remedy: null,
          duration_ms: Math.round(performance.now() - started),
        },
      ],
      connectors: [now],
    }
  })
}

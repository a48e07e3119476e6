import { join } from 'node:path'
import { connectorNames, type ConnectorName } from '#shared/connectors/list'
import { usedConnectors } from '#shared/connectors/used'
import { checkConnectorsAsSecretOwner } from '#ops/features/connectors/check-as-secret-owner'
import { secretOwner } from '#ops/features/connectors/secret-owner'
import { connectorsDocument } from '#ops/features/connectors/document'
import { exchangedLine, type Renewal } from '#ops/features/connectors/keep-renewed'
import { runAsAction } from '#ops/host/hostd-client/check-command'
import { hostPaths, runFolder } from '#ops/base/paths/paths'
import { writeDocument } from '#ops/base/redact/write-document'
import { cancelOnSignals } from '#ops/core/pipeline/run-context'
import { passedHostFiles, readHostFile, settingsOf } from '#ops/core/config/host-files'

/**
 * `hq connectors`: checks live whether each connector is ready.
 * @param probe internal: checks in this process and prints the reports as JSON
 * @param only internal: these connectors alone, separated by commas
 * @param candidates internal: new secrets that wait for their proof, where there are any
 * @param renewals internal: prints each secret that a service renewed, at once, for the run that writes it
 * @param about internal: prints also which secrets each report is about
 * @param withdraw internal: has the service of `only` forget its secret instead
 * @returns the exit code
 */
export async function run({
  probe = false,
  only,
  candidates = false,
  renewals = false,
  about = false,
  withdraw = false,
  ...options
}: {
  json?: boolean
  probe?: boolean
  only?: string
  candidates?: boolean
  renewals?: boolean
  about?: boolean
  withdraw?: boolean
}): Promise<number> {
  if (!probe)
    return await runAsAction(
      { ...options, action: 'connectors_status' },
      async ({ context, signal }) => {
        const about = {
          kind: 'connectors' as const,
          runId: context.runId,
          startedAt: new Date().toISOString(),
          artifacts: { connectors: 'connectors.json' },
        }
        const paths = hostPaths()
        const owner = secretOwner(paths)
        const names = usedConnectors(owner.settings)
        const document = connectorsDocument(
          about,
          await checkConnectorsAsSecretOwner(owner, { names, signal }),
        )
        writeDocument(
          join(runFolder(join(paths.artifacts, 'connectors'), context.runId), 'connectors.json'),
          document,
        )
        return document
      },
    )
  const paths = hostPaths()
  const settings = settingsOf(passedHostFiles() ?? readHostFile(paths), paths)
  const asked = only?.split(',')
  const names = connectorNames.filter((name) => asked?.includes(name))
  const host = {
    settings,
    paths,
    signal: cancelOnSignals(),
    ...(asked === undefined ? {} : { only: names }),
    candidates,
    ...(renewals
      ? {
          onRenewed: (renewal: Renewal) => process.stdout.write(`${JSON.stringify(renewal)}\n`),
          onExchanged: (name: ConnectorName) => process.stdout.write(`${exchangedLine(name)}\n`),
        }
      : {}),
  }
  process.stdout.write(`${JSON.stringify(await printed())}\n`)
  return 0

  async function printed(): Promise<unknown> {
    const [first] = names
    if (withdraw && first !== undefined) {
      const { withdrawConnector } = await import('#ops/features/connectors/withdraw-connector')
      return await withdrawConnector(first, host)
    }
    const { checkConnectors, judgeConnectors } =
      await import('#ops/features/connectors/check-connectors')
    return about ? await judgeConnectors(host) : await checkConnectors(host)
  }
}

import { join } from 'node:path'
import type { ActionId } from '#shared/actions'
import { connectorName, type ConnectorsResult } from '#shared/connectors'
import type { ConnectorMode, ConnectorName } from '#shared/connectors/list'
import { Problem } from '#shared/errors'
import { finalizeConnector } from '#ops/features/connectors/finalize'
import { revokeConnector } from '#ops/features/connectors/revoke'
import { connectorStart, connectorStatus } from '#ops/features/connectors/stored'
import { runAsAction } from '#ops/host/hostd-client/check-command'
import { hostPaths, runFolder, type HostPaths } from '#ops/base/paths/paths'
import { writeDocument } from '#ops/base/redact/write-document'

interface Options {
  readonly name: string
  readonly mode?: ConnectorMode
  readonly json?: boolean
}

interface Work {
  readonly paths: HostPaths
  readonly name: ConnectorName
  readonly mode: ConnectorMode | null
  readonly signal: AbortSignal
}

type About = Parameters<typeof finalizeConnector>[0]

/** `hq connector start`: says what is waited for. @returns the exit code */
export const start = (options: Options): Promise<number> =>
  onConnector('connector_start', options, async (about, work) => connectorStart(about, work))

/** `hq connector status`: says which secrets lie on the host. @returns the exit code */
export const status = (options: Options): Promise<number> =>
  onConnector('connector_status', options, connectorStatus)

/** `hq connector finalize`: proves the secret. @returns the exit code */
export const finalize = (options: Options): Promise<number> =>
  onConnector('connector_finalize', options, kept(finalizeConnector))

/** `hq connector revoke`: deletes the secret. @returns the exit code */
export const revoke = (options: Options): Promise<number> =>
  onConnector('connector_revoke', options, kept(revokeConnector))

type Act = (about: About, work: Work) => Promise<ConnectorsResult>

/** The result stays as the newest that is known of the connector. */
const kept =
  (act: Act): Act =>
  async (about, work) => {
    const document = await act({ ...about, artifacts: { connectors: 'connectors.json' } }, work)
    const folder = runFolder(join(work.paths.artifacts, 'connectors'), about.runId)
    writeDocument(join(folder, 'connectors.json'), document)
    return document
  }

async function onConnector(action: ActionId, options: Options, act: Act): Promise<number> {
  const { data: name } = connectorName.safeParse(options.name)
  if (name === undefined)
    throw new Problem('invalid_request', `There is no connector ${JSON.stringify(options.name)}.`)
  const { mode, json = false } = options
  const params = mode === undefined ? { name } : { name, mode }
  return await runAsAction({ action, params, json }, async ({ context, signal }) =>
    act(
      { runId: context.runId, startedAt: new Date().toISOString(), artifacts: {} },
      { paths: hostPaths(), name, mode: mode ?? null, signal },
    ),
  )
}

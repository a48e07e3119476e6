/** The client of hostd: one method per route that HQ uses. */
import { hostdPaths, pathWith } from '../hostd-paths.ts'
import type { z } from 'zod'
import type { ActionId } from '../actions.ts'
import {
  artifactsReply,
  cancelReply,
  dodRunHeader,
  execReply,
  maintenanceReply,
  proofBundlesReply,
  proofChainReply,
  proofExportReply,
  runReply,
  runsReply,
  shipStoredReply,
  statusReply,
  trustReply,
  type MaintenanceState,
  type ProofBundlesReply,
  type RunDetail,
  type StatusReply,
  type TrustReply,
} from '../api.ts'
import type { shipBundle } from '../bundle.ts'
import { Problem } from '../errors.ts'
import type { RunEvent } from '../events.ts'
import type { BundleKind } from '../proof.ts'
import { refuseLargeSecret, secretStoredReply } from '../connectors.ts'
import type { ConnectorMode, ConnectorName } from '../connectors/list.ts'
import { requireSameRun } from '../join.ts'
import type { RunStatus } from '../run.ts'
import type { Connect } from './address.ts'
import { readHead } from './body.ts'
import { followRun, type FollowOptions } from './follow-run.ts'
import { LaneBusy, readJson, requestAnswer, requestJson, type HostdRequest } from './request.ts'

/** hostd answers a cancel when the whole tree has ended: at most 40 s; milliseconds. */
const cancelMs = 60_000
/** The largest ship bundle over a slow tailnet, milliseconds. */
const storeShipMs = 60_000
const readArtifactMs = 30_000
/** A secret of a connector has at most 1 MiB, milliseconds. */
const sendSecretMs = 30_000

/** Runs of other people that one start waits for. */
const mostStarts = 3

interface SecretToSend {
  readonly connector: ConnectorName
  /** One of the `secrets` of its connector. */
  readonly kind: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

export interface Started {
  readonly run_id: string
  /** The same request was running already. */
  readonly joined: boolean
}

export type RequestOptions = Omit<HostdRequest, 'path'>

/** Every method throws {Problem}: `hostd_unreachable`, `version_mismatch`, `cancelled`, or the class of the answer. */
export class HostdClient {
  readonly #connect: Connect
  readonly #defaults: RequestOptions

  /** @param defaults for every request, unless the request says otherwise */
  constructor(connect: Connect, defaults: RequestOptions = {}) {
    this.#connect = connect
    this.#defaults = defaults
  }

  /** Any route, its answer checked. */
  async request<T extends z.ZodType>(
    path: string,
    schema: T,
    options: RequestOptions = {},
  ): Promise<z.output<T>> {
    return await requestJson(await this.#connect(), { ...this.#defaults, ...options, path }, schema)
  }

  async status(options?: RequestOptions): Promise<StatusReply> {
    return await this.request(hostdPaths.status, statusReply, options)
  }

  /**
   * Starts an action, or joins the same one. Only this function decides what a busy lane means.
   * @throws {Problem} also `lane_busy` when another action of the lane runs, or the same one with other parameters
   */
  async exec(
    action: ActionId,
    params: Readonly<Record<string, unknown>> = {},
    { dodRun, signal }: { dodRun?: string; signal?: AbortSignal } = {},
  ): Promise<Started> {
    try {
      const { run_id } = await this.request(hostdPaths.exec, execReply, {
        method: 'POST',
        body: { action, params },
        ...(dodRun === undefined ? {} : { headers: { [dodRunHeader]: dodRun } }),
        ...(signal ? { signal } : {}),
      })
      return { run_id, joined: false }
    } catch (error) {
      if (!(error instanceof LaneBusy)) throw error
      const active = await this.run(error.active.active_run_id, signal ? { signal } : {})
      requireSameRun({ action, params }, active)
      return { run_id: active.run_id, joined: true }
    }
  }

  async run(id: string, options?: RequestOptions): Promise<RunDetail> {
    return (await this.request(hostdPaths.runs, runReply, { ...options, query: { id } })).run
  }

  async runs(query: HostdRequest['query'] = {}): Promise<z.output<typeof runsReply>> {
    return await this.request(hostdPaths.runs, runsReply, { query })
  }

  async cancel(id: string): Promise<RunStatus> {
    const path = pathWith(hostdPaths.runCancel, id)
    const options = { method: 'POST', body: {}, limitMs: cancelMs } as const
    return (await this.request(path, cancelReply, options)).status
  }

  /** The events of a run, through broken connections; see `followRun`. */
  events(
    id: string,
    options?: FollowOptions,
  ): AsyncGenerator<readonly RunEvent[], RunStatus | null> {
    return followRun(this.#connect, id, options)
  }

  async trust(options?: RequestOptions): Promise<TrustReply> {
    return await this.request(hostdPaths.trust, trustReply, options)
  }

  async proofBundles(
    query: { cursor?: string | undefined; limit?: number; kind?: BundleKind },
    options?: RequestOptions,
  ): Promise<ProofBundlesReply> {
    return await this.request(hostdPaths.proofBundles, proofBundlesReply, { ...options, query })
  }

  /** @param after number of the last link that the caller knows; 0: all */
  async proofChain(
    after: number,
    options?: RequestOptions,
  ): Promise<z.output<typeof proofChainReply>> {
    const query = { after }
    return await this.request(hostdPaths.proofChain, proofChainReply, { ...options, query })
  }

  /** The statements of one bundle. @throws {Problem} `not_found`, `proof_broken`, `nothing_to_export` */
  async exportProof(kind: BundleKind, run_id: string): Promise<z.output<typeof proofExportReply>> {
    const options = { query: { kind, run_id }, limitMs: readArtifactMs }
    return await this.request(hostdPaths.proofExport, proofExportReply, options)
  }

  async storeShip(
    id: string,
    body: z.input<typeof shipBundle>,
  ): Promise<z.output<typeof shipStoredReply>> {
    const options = { method: 'PUT', body, limitMs: storeShipMs } as const
    const path = pathWith(hostdPaths.storeShip, id)
    return await this.request(path, shipStoredReply, options)
  }

  /** Sends one secret of a connector; the host keeps it beside the one in use until it is proved. */
  async sendSecret(
    { connector, kind, bytes }: SecretToSend,
    options: RequestOptions = {},
  ): Promise<void> {
    refuseLargeSecret(bytes.length)
    await this.request(pathWith(hostdPaths.connectorSecret, connector), secretStoredReply, {
      ...options,
      method: 'PUT',
      query: { kind },
      bytes,
      limitMs: sendSecretMs,
    })
  }

  /**
   * Starts the run that proves the secret that was sent, or that lies on the host already. `signal` ends the wait for
   * another run; a request that was sent is not broken off, because nobody would know whether the host accepted it.
   */
  async finalizeConnector(
    connector: ConnectorName,
    mode: ConnectorMode | null,
    options: RequestOptions = {},
  ): Promise<Started> {
    const path = pathWith(hostdPaths.connectorFinalize, connector)
    return await this.#startAlone(path, mode === null ? {} : { mode }, options)
  }

  /** Starts the run that deletes the secret of a connector, also at the service where it can be done. */
  async revokeConnector(connector: ConnectorName): Promise<Started> {
    return await this.#startAlone(pathWith(hostdPaths.connectorRevoke, connector), {}, {})
  }

  /** Another run of the lane began before the secret of this one was there: it is waited for and not joined. */
  async #startAlone(
    path: string,
    body: object,
    { signal, ...options }: RequestOptions,
  ): Promise<Started> {
    for (let tries = 1; ; tries += 1) {
      signal?.throwIfAborted()
      try {
        const request = { ...options, method: 'POST', body } as const
        const { run_id } = await this.request(path, execReply, request)
        return { run_id, joined: false }
      } catch (error) {
        if (!(error instanceof LaneBusy) || tries === mostStarts) throw error
        const events = this.events(error.active.active_run_id, signal ? { signal } : {})
        while ((await events.next()).done !== true) signal?.throwIfAborted()
      }
    }
  }

  async turnMaintenanceOn(reason: string): Promise<MaintenanceState> {
    const options = { method: 'PUT', body: { reason } } as const
    return (await this.request(hostdPaths.maintenance, maintenanceReply, options)).maintenance
  }

  /** @throws {Problem} also `not_found` when it is not a folder */
  async listArtifacts(path: string): Promise<z.output<typeof artifactsReply>> {
    const { address, answer } = await this.#artifact(path, 'directory')
    return await readJson(address, answer, artifactsReply)
  }

  /** The head of a file. @throws {Problem} also `not_found` when it is not a file */
  async readArtifact(
    path: string,
    maxBytes: number,
  ): Promise<{ bytes: Uint8Array<ArrayBuffer>; truncated: boolean }> {
    const { address, answer } = await this.#artifact(path, 'file')
    return await readHead(answer, { maxBytes, host: address.caller.host })
  }

  /** hostd answers a folder with its list and a file with its bytes; a header says which. */
  async #artifact(path: string, expected: 'file' | 'directory') {
    const address = await this.#connect()
    const answer = await requestAnswer(address, {
      ...this.#defaults,
      path: artifactPath(path),
      limitMs: readArtifactMs,
    })
    if (answer.headers.get('x-openclaw-artifact') === expected) return { address, answer }
    await answer.body?.cancel()
    const kind = expected === 'file' ? 'file' : 'folder'
    throw new Problem('not_found', `${JSON.stringify(path)} is not a ${kind} of the artifacts.`)
  }
}

/** Stays below `/api/artifacts/`; hostd decides what may be read there. */
function artifactPath(path: string): string {
  const parts = path.split('/').filter((part) => part !== '')
  if (parts.some((part) => part === '.' || part === '..'))
    throw new Problem('not_found', `There is no artifact ${JSON.stringify(path)}.`)
  return [hostdPaths.artifacts, ...parts.map(encodeURIComponent)].join('/')
}

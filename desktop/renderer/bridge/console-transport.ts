/** The bridge of the console page: as much of it as a host alone can answer. */
import type { ProofBundlesReply } from '#shared/api'
import {
  procedures,
  type BridgeReply,
  type BridgeTransport,
  type Input,
  type Output,
  type ProcedureName,
} from '#shared/bridge'
import { Problem } from '#shared/errors'
import {
  maxShownFileBytes,
  sealedKind,
  type EvidenceContent,
  type EvidencePlace,
} from '#shared/evidence'
import type { HostdClient } from '#shared/hostd-client/client'
import { connectorsReader } from '#shared/hostd-client/known-connectors'
import { hostEvidence } from '#shared/hostd-client/host-evidence'
import { problemOf, toBridgeProblem } from './bridge-error.ts'
import { consoleOverview } from './console-overview.ts'
import { stepFollower } from './console-steps.ts'

type Handlers = { [P in ProcedureName]?: (input: Input<P>) => Promise<Output<P>> }

/** What needs the laptop says so. */
export function consoleTransport(client: HostdClient): BridgeTransport {
  const handlers = handlersOf(client)
  return {
    async call(name, input): Promise<BridgeReply> {
      const handler = handlers[name] as ((input: unknown) => Promise<unknown>) | undefined
      if (!handler)
        return {
          ok: false,
          problem: problemOf(
            'unknown_action',
            'This works only in HQ on the laptop; the console shows only the host.',
          ),
        }
      try {
        return { ok: true, value: await handler(procedures[name].input.parse(input)) }
      } catch (error) {
        return { ok: false, problem: toBridgeProblem(error) }
      }
    },
    events: consoleEvents(client),
  }
}

function handlersOf(client: HostdClient): Handlers {
  const overview = consoleOverview(client, stepFollower(client))
  const connectors = connectorsReader(client, () => location.origin)
  return {
    'app.info': async () => ({
      mode: 'console',
      version: (await overview()).status?.host.version ?? '',
      platform: 'browser',
      operator: false,
      demo: false,
    }),
    'overview.get': overview,
    'host.exec': ({ action, params }) => client.exec(action, params),
    'host.runs': ({ cursor, limit, action, status }) =>
      client.runs({
        cursor,
        action,
        status,
        ...(typeof limit === 'number' ? { limit } : {}),
      }),
    'host.run': async ({ run_id }) => ({ ok: true, run: await client.run(run_id) }),
    'host.cancel': async ({ run_id }) => {
      await client.cancel(run_id)
      return { ok: true }
    },
    'proofs.list': async ({ cursor }) => proofRows(await client.proofBundles({ cursor })),
    'connectors.get': async () => ({ ...(await connectors()), flows: [], kept: [] }),
    'connectors.finalize': ({ name }) => client.finalizeConnector(name, null),
    'host.artifacts': ({ path }) => client.listArtifacts(path),
    'proofs.evidence': (place) => hostEvidence(client, onHost(place)),
    'proofs.export': ({ folder, run_id, side }) =>
      exportProof(client, onHost({ folder, run_id, side })),
    'proofs.file': ({ path, ...place }) => readFile(client, onHost(place), path),
  }
}

/** @throws {Problem} `not_found`: the console has no files of the laptop */
function onHost(place: EvidencePlace): EvidencePlace {
  if (place.side === 'host') return place
  throw new Problem('not_found', 'The files of the laptop are shown only in HQ on the laptop.')
}

async function exportProof(
  client: HostdClient,
  { folder, run_id }: EvidencePlace,
): Promise<Output<'proofs.export'>> {
  const { text } = await client.exportProof(sealedKind(folder), run_id)
  return { text }
}

async function readFile(
  client: HostdClient,
  { folder, run_id }: EvidencePlace,
  path: string,
): Promise<EvidenceContent> {
  const { bytes, truncated } = await client.readArtifact(
    `${folder}/${run_id}/${path}`,
    maxShownFileBytes,
  )
  return { base64: base64Of(bytes), size: truncated ? null : bytes.length, truncated }
}

/** In parts: a call takes only so many arguments. */
function base64Of(bytes: Uint8Array): string {
  const parts: string[] = []
  for (let at = 0; at < bytes.length; at += 0x8000)
    parts.push(String.fromCharCode(...bytes.subarray(at, at + 0x8000)))
  return btoa(parts.join(''))
}

function proofRows({ bundles, next_cursor }: ProofBundlesReply): Output<'proofs.list'> {
  return {
    // The host cannot be the witness of itself.
    witnesses: [],
    next_cursor,
    host: { name: location.host, as_of: new Date().toISOString(), detail: null },
    bundles: bundles.flatMap(({ kind, run_id, ...found }) => {
      if (kind === null) return []
      const { state, problems, files, pruned, counter, key_id, manifest_sha256, created_at } = found
      return [
        {
          kind,
          run_id,
          running: false,
          laptop: null,
          host: { state, problems, files, pruned, counter, key_id, manifest_sha256, created_at },
          witnessed: null,
        },
      ]
    }),
  }
}

/** The events of a run, through broken connections. */
function consoleEvents(client: HostdClient): BridgeTransport['events'] {
  return ({ run_id, after }, onEvents, onEnd) => {
    const stop = new AbortController()
    const read = async (): Promise<void> => {
      for await (const events of client.events(run_id, { after, signal: stop.signal }))
        if (!stop.signal.aborted) onEvents(events)
      if (!stop.signal.aborted) onEnd(null)
    }
    read().catch((error: unknown) => {
      if (!stop.signal.aborted) onEnd(toBridgeProblem(error))
    })
    return () => stop.abort()
  }
}

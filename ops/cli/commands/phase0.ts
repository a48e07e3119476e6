import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { CollectPart } from '#shared/phase0'
import { runPhase0 } from '#ops/features/connectors/phase0/pipeline'
import { hostPaths } from '#ops/base/paths/paths'
import { parseJson } from '#ops/base/files/json-file'
import { passedHostFiles, readHostFile, settingsOf } from '#ops/core/config/host-files'
import { eventsOut } from '#ops/core/pipeline/events-out'
import { exitCodeOf } from '#ops/core/pipeline/exit-codes'
import { cancelOnSignals, runContext } from '#ops/core/pipeline/run-context'
import { runThroughHostd } from '#ops/host/hostd-client/index'

/**
 * `hq phase0`: checks every connector live, collects library and mail data, and leaves a proof however it ends. The
 * runner seals it.
 * @param collect internal: collects this part in this process, and prints what it finds
 * @returns the exit code
 */
export async function run({
  collect,
  ...options
}: {
  json?: boolean
  collect?: CollectPart
}): Promise<number> {
  if (collect !== undefined) return await print(collect)
  const { startedByRunner, runId } = runContext()
  if (!startedByRunner) return await runThroughHostd('phase0', {}, options)
  const host = { paths: hostPaths(), runId }
  return exitCodeOf(await runPhase0(host, { emit: eventsOut(), signal: cancelOnSignals() }))
}

async function print(part: CollectPart): Promise<number> {
  const { collect } = await import('#ops/features/connectors/phase0/collect')
  const { collectInput } = await import('#ops/features/connectors/phase0/lines')
  const paths = hostPaths()
  const settings = settingsOf(passedHostFiles() ?? readHostFile(paths), paths)
  const { known } = parseJson(await text(process.stdin), collectInput, {
    errorClass: 'internal_error',
    origin: 'The standard input of hq phase0 --collect',
  })
  const signal = cancelOnSignals()
  await collect(part, { settings, paths, signal, known: new Set(known) }, async (line) => {
    // It waits until the run has read enough.
    if (!process.stdout.write(`${JSON.stringify(line)}\n`)) await once(process.stdout, 'drain')
  })
  return 0
}

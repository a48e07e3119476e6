import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { runIdPattern } from '#shared/ids'
import { exitUsage } from '#ops/core/pipeline/exit-codes'
import { writeWhole } from '#ops/base/files/json-file'
import { hostPaths, hqHome } from '#ops/base/paths/paths'
import { sha256Of } from '#ops/base/sha256'
import { exportStatements } from '#ops/core/proof/export-statements'
import { bundlesOfRun } from '#ops/core/proof/find-bundles'
import { keysFor, knownKeys, type VerifierPaths } from '#ops/core/proof/known-keys'
import { kindOf } from '#ops/core/proof/verify-bundle'

interface ExportOptions {
  readonly runId: string
  readonly out?: string
  readonly json?: boolean
}

/**
 * `hq proof export RUN_ID`: writes the statements of a run into one file.
 * @returns 0 when the file was written, 64 when there is no such run here or the file is there already
 * @throws {Problem} `proof_broken`, `statement_mismatch`, `nothing_to_export`; no file is written then
 */
export async function run({ runId, out, json = false }: ExportOptions): Promise<number> {
  const paths: VerifierPaths = { host: hostPaths(), home: hqHome() }
  const file = resolve(out ?? `${runId}.intoto.jsonl`)
  const dirs = runIdPattern.test(runId) ? bundlesOfRun(runId, paths) : []
  const [first] = dirs
  if (first === undefined)
    return refuse(
      `There is no proof of the run ${JSON.stringify(runId)} here. Nothing was written.`,
    )
  if (existsSync(file)) return refuse(`${file} is there already. It was not changed.`)
  const keys = knownKeys(paths)
  const exported = await exportStatements({
    bundles: dirs.map((dir) => ({ dir, keys: keysFor(kindOf(dir), keys) })),
    shipKeys: keys.ship,
    repo: existsSync(paths.host.root) ? paths.host.root : null,
  })
  writeWhole(file, exported.text)
  const { statements } = exported
  const document = {
    run_id: runId,
    file,
    sha256: sha256Of(exported.text),
    statements,
    keys: exported.keys,
  }
  const names = statements.map(({ from, predicate_type }) => `  ${predicate_type}  ${from}`)
  process.stdout.write(
    json
      ? `${JSON.stringify(document, null, 2)}\n`
      : `${[`${file}: ${statements.length} statements, signed by ${exported.keys.join(', ')}`, ...names].join('\n')}\n`,
  )
  return 0
}

function refuse(why: string): number {
  process.stderr.write(`${why}\n`)
  return exitUsage
}

import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { z } from 'zod'
import type { deployLastReply, dodLastReply, shipLastReply, UnreadableDocument } from '#shared/api'
import { deployBundleFiles, shipBundleFiles, type BundleState } from '#shared/bundle'
import {
  checksResult,
  deployResult,
  dodResult,
  shipResult,
  triage,
  type ChecksResult,
} from '#shared/result'
import type { HostPaths } from '#ops/base/paths/paths'
import type { Documents } from './documents.ts'
import { unreadableDocuments } from './unreadable.ts'
import type { CheckBundle } from './verified.ts'

export interface LastResults {
  dod(): z.input<typeof dodLastReply>
  deploy(): z.input<typeof deployLastReply>
  ship(): Promise<z.input<typeof shipLastReply>>
  checks(kind: 'doctor' | 'guard' | 'port_audit' | 'selftest'): ChecksResult | null
  bundles(): Promise<{ ship: BundleState | null; deploy: BundleState | null }>
  unreadable(): UnreadableDocument[]
}

const none = { ok: false, run_id: null, overall: null, result: null, artifact_dir: null }
const of = <R extends { run_id: string; overall: 'PASS' | 'FAIL' }>(
  result: R,
  run_id: string,
  artifact_dir: string,
) => ({ ok: result.overall === 'PASS', run_id, overall: result.overall, result, artifact_dir })

/** The newest result documents of this host, each from its proof folder: the folders are the truth. */
export function lastResults(
  paths: Pick<HostPaths, 'artifacts' | 'state' | 'projectState'>,
  docs: Documents,
  check: CheckBundle,
): LastResults {
  const base = (area: string): string => join(paths.artifacts, area)
  /** A document counts only in the folder of the very run it is about. */
  const ofRun = <T extends z.ZodType<{ run_id: string }>>(
    file: string,
    id: string,
    schema: T,
  ): z.output<T> | null => {
    const result = docs.read(file, schema)
    return result?.run_id === id ? result : null
  }
  const finishedDeploy = (folder: string, id: string): z.output<typeof deployResult> | null =>
    ofRun(join(folder, 'deploy_result.json'), id, deployResult)

  const dod: LastResults['dod'] = () =>
    docs.newest(base('deploy'), (folder, id) => {
      if (finishedDeploy(folder, id) === null) return null
      const result = docs.read(join(folder, 'dod_result.json'), dodResult)
      return result?.deploy_run_id === id ? of(result, result.run_id, `deploy/${id}`) : null
    }) ?? none
  const deploy: LastResults['deploy'] = () =>
    docs.newest(base('deploy'), (folder, id) => {
      const result = finishedDeploy(folder, id)
      return result === null
        ? null
        : {
            ...of(result, id, `deploy/${id}`),
            triage: ofRun(join(folder, 'triage.json'), id, triage),
          }
    }) ?? { ...none, triage: null }
  const newestShip = () =>
    docs.newest(base('ship'), (folder, id) => {
      const result = ofRun(join(folder, 'ship_result.json'), id, shipResult)
      return result === null ? null : of(result, id, `ship/${id}`)
    })
  const ship: LastResults['ship'] = async () => {
    const newest = newestShip()
    return newest === null
      ? { ...none, verification: null }
      : { ...newest, verification: (await check('ship', newest.run_id)).state }
  }

  const bundle = async (
    area: 'ship' | 'deploy',
    id: string | null,
    names: readonly string[],
  ): Promise<BundleState | null> => {
    if (id === null) return null
    const missing = names.filter(
      (name) => !statSync(join(base(area), id, name), { throwIfNoEntry: false })?.isFile(),
    )
    const { state, problems } = await check(area, id)
    return {
      run_id: id,
      complete: missing.length === 0,
      missing,
      verification: state,
      problem: problems[0] ?? null,
    }
  }
  return {
    dod,
    deploy,
    ship,
    checks: (kind) =>
      docs.newest(base(kind), (folder, id) => {
        const result = ofRun(join(folder, `${kind}.json`), id, checksResult)
        return result?.kind === kind ? result : null
      }),
    unreadable: () => unreadableDocuments(paths, docs),
    bundles: async () => ({
      ship: await bundle('ship', newestShip()?.run_id ?? null, shipBundleFiles),
      deploy: await bundle('deploy', deploy().run_id, deployBundleFiles),
    }),
  }
}

/** Documents that are there and cannot be read: the status names them, instead of an older one taking their place. */
import { statSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { z } from 'zod'
import type { UnreadableDocument } from '#shared/api'
import { manifestName } from '#shared/proof'
import { checksResult, deployResult, dodResult, projectState, shipResult } from '#shared/result'
import { resultFiles } from '#ops/core/proof/unsealed'
import { serving } from '#ops/core/host-state/service-record'
import type { HostPaths } from '#ops/base/paths/paths'
import type { Documents } from './documents.ts'

type Paths = Pick<HostPaths, 'artifacts' | 'state' | 'projectState'>

const exists = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined

/** The newest result of each kind, when it cannot be read, and the state of the host. */
export function unreadableDocuments(paths: Paths, docs: Documents): UnreadableDocument[] {
  return [
    newestResult({ kind: 'ship', schema: shipResult }, paths, docs),
    newestResult({ kind: 'deploy', schema: deployResult }, paths, docs),
    newestResult({ kind: 'doctor', schema: checksResult }, paths, docs),
    newestDod(paths, docs),
    single({ kind: 'state', schema: projectState, path: paths.projectState }, docs),
    single({ kind: 'serving', schema: serving, path: join(paths.state, 'serving.json') }, docs),
  ].filter((found) => found !== null)
}

interface ResultKind {
  readonly kind: 'ship' | 'deploy' | 'doctor'
  readonly schema: z.ZodType<{ run_id: string }>
}

/** @returns null when the newest run that left something left a result that can be read */
function newestResult(
  { kind, schema }: ResultKind,
  { artifacts }: Paths,
  docs: Documents,
): UnreadableDocument | null {
  const file = resultFiles[kind]
  const found = docs.newest(join(artifacts, kind), (folder, run_id) => {
    const path = join(folder, file)
    const result = docs.read(path, schema)
    if (result?.run_id === run_id) return { readable: true as const }
    const detail = whyNot(docs, path, result?.run_id ?? null)
    // A run in progress has no result yet.
    return detail === null ? null : { readable: false as const, run_id, detail }
  })
  return found === null || found.readable
    ? null
    : { kind, run_id: found.run_id, file, detail: found.detail }
}

/** The Definition of Done of the newest deploy that ended: it lies in the folder of that deploy, if it came so far. */
function newestDod({ artifacts }: Paths, docs: Documents): UnreadableDocument | null {
  const file = resultFiles.dod
  return (
    docs.newest(join(artifacts, 'deploy'), (folder, run_id) => {
      if (!exists(join(folder, resultFiles.deploy))) return null
      const path = join(folder, file)
      const result = docs.read(path, dodResult)
      const detail =
        result === null || result.deploy_run_id === run_id
          ? docs.whyUnreadable(path)
          : `It is the result of another deploy, ${result.deploy_run_id}.`
      return { found: detail === null ? null : { kind: 'dod' as const, run_id, file, detail } }
    })?.found ?? null
  )
}

function whyNot(docs: Documents, path: string, of: string | null): string | null {
  if (of !== null) return `It is the result of another run, ${of}.`
  const why = docs.whyUnreadable(path)
  if (why !== null) return why
  const sealed = exists(join(path, '..', manifestName))
  return sealed ? 'It is missing, and the proof that it belongs to was sealed with it.' : null
}

interface SingleKind {
  readonly kind: 'state' | 'serving'
  readonly schema: z.ZodType
  readonly path: string
}

function single({ kind, schema, path }: SingleKind, docs: Documents): UnreadableDocument | null {
  if (docs.read(path, schema) !== null) return null
  const detail = docs.whyUnreadable(path)
  return detail === null ? null : { kind, run_id: null, file: basename(path), detail }
}

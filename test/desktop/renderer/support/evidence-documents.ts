import { createHash } from 'node:crypto'
import type { Evidence, EvidenceContent, EvidenceFile } from '#shared/evidence'
import type { ProofProblem } from '#shared/proof'
import { ago, before } from './documents.ts'

/** A whole file as the bridge answers with it. */
export function fileContent(content: string | Buffer): EvidenceContent {
  const bytes = Buffer.from(content)
  return { base64: bytes.toString('base64'), size: bytes.length, truncated: false }
}

/** Files of a run that nobody seals. @param sizes bytes by path */
export const unsealedFiles = (sizes: Readonly<Record<string, number>>): Evidence => ({
  files: Object.entries(sizes).map(([path, size]) => ({
    path,
    size,
    sealed: null,
    found_sha256: null,
    problem: null,
  })),
  verification: null,
  git_head: null,
  whole_at: null,
  broken_at: null,
})

interface Sealed {
  readonly runId: string
  readonly kind: 'ship' | 'deploy'
  /** What was sealed, by path. */
  readonly files: Readonly<Record<string, string>>
  /** What is there now where it differs; null: the file is gone. */
  readonly now?: Readonly<Record<string, string | null>>
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** A sealed bundle, and what its check finds. */
export function sealedFiles({ runId, kind, files, now = {} }: Sealed): Evidence {
  const paths = [...new Set([...Object.keys(files), ...Object.keys(now)])].toSorted()
  const listed = paths.map((path): EvidenceFile => {
    const was = files[path]
    const is = path in now ? (now[path] ?? null) : (was ?? '')
    return {
      path,
      size: is === null ? null : Buffer.byteLength(is),
      sealed: was === undefined ? null : { size: Buffer.byteLength(was), sha256: sha256(was) },
      found_sha256: path in now && is !== null ? sha256(is) : null,
      problem: problemOf(was, is),
    }
  })
  const problems = listed.flatMap(({ path, problem, sealed }): ProofProblem[] =>
    problem === null
      ? []
      : [
          {
            code: problem,
            run_id: runId,
            file: path,
            detail: detailOf(problem, sealed?.size ?? 0),
          },
        ],
  )
  return {
    files: [
      ...listed,
      { path: 'manifest.json', size: 2210, sealed: null, found_sha256: null, problem: null },
    ],
    git_head: before,
    whole_at: ago(600),
    broken_at: problems.length === 0 ? null : ago(300),
    verification: {
      kind,
      run_id: runId,
      state: problems.length === 0 ? 'verified' : 'broken',
      problems,
      chain: '1'.repeat(16),
      counter: 413,
      manifest_sha256: 'c'.repeat(64),
      previous: 'e'.repeat(64),
      key_id: 'a'.repeat(32),
      created_at: ago(700),
      files: Object.keys(files).length,
      pruned: 0,
    },
  }
}

function problemOf(was: string | undefined, is: string | null): EvidenceFile['problem'] {
  if (was === undefined) return 'file_extra'
  if (is === null) return 'file_missing'
  if (was === is) return null
  return was.length === is.length ? 'file_digest' : 'file_size'
}

const detailOf = (code: string, size: number): string =>
  code === 'file_missing' ? `it had ${size} bytes` : 'its content differs from what was sealed'

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sha256Of } from '#ops/base/sha256'
import { filesStatement } from '#ops/core/proof/bundle-statements'
import { documentText } from '#ops/core/proof/manifest-text'
import { isLog } from '#ops/core/proof/retention'
import type { Sealed } from '#ops/core/proof/seal-bundle'
import { verifyBundle, verifyFiles } from '#ops/core/proof/verify-bundle'
import { openEnvelope, signStatement } from '#ops/core/trust/envelope'
import { signDocument } from '#ops/core/trust/signed-document'
import type { Deployed } from '#shared/deployed'
import type { Manifest } from '#shared/proof'
import { statementFile, statementRef, type StatementKind } from '#shared/statement'
import type { Statement } from '#shared/statement'
import { reviewRef } from '#shared/verdict'
import { deployDocument } from '../../../support/documents.ts'
import { newKey, proofBench, runOf, trusting, type ProofBench } from './proof-bench.ts'

const commit = 'a'.repeat(40)
const digest = (letter: string): string => letter.repeat(64)
const facts: Deployed = {
  schema_version: 1,
  run_id: runOf(1),
  project: 'sample app',
  branch: 'main',
  engine: 'process',
  commit,
  tree: 'b'.repeat(40),
  is_rollback: false,
  build_sha256: digest('c'),
  services: [{ name: 'app', sha256: digest('d') }],
  baseline: 'e'.repeat(40),
  trust_sha256: digest('f'),
  reviews: [
    {
      commit,
      verdict_sha256: digest('1'),
      statements: { review: digest('2'), tests: digest('3') },
    },
    {
      commit: '9'.repeat(40),
      verdict_sha256: digest('4'),
      statements: { review: null, tests: null },
    },
  ],
}
const green = { run_id: runOf(1), git_head: commit }

let bench: ProofBench
let dir: string
beforeEach(() => {
  bench = proofBench()
})
afterEach(() => bench.remove())

const seal = (files: Readonly<Record<string, unknown>>): Promise<Sealed> => {
  dir = bench.write(
    'deploy',
    1,
    Object.fromEntries(Object.entries(files).map(([name, value]) => [name, JSON.stringify(value)])),
  )
  return bench.seal('deploy', 1)
}
const textOf = (kind: StatementKind): string => readFileSync(join(dir, statementFile(kind)), 'utf8')
const statementOf = (kind: StatementKind): Statement => {
  const opened = openEnvelope(textOf(kind), trusting(bench.key))
  if (opened.state !== 'verified') throw new Error(`${kind}: ${opened.state}`)
  return opened.statement
}
const verified = (): ReturnType<typeof verifyBundle> =>
  verifyBundle(dir, { keys: trusting(bench.key) })

describe('the statement about the files of a bundle', () => {
  it('names each file by its digest, and the place of the bundle in the chain', async () => {
    const { manifest } = await seal({ 'deploy_result.json': 1, 'build.log': 2 })
    const { subject, predicate } = statementOf('files')
    expect(subject).toEqual([
      { name: 'build.log', digest: { sha256: sha256Of('2') } },
      { name: 'deploy_result.json', digest: { sha256: sha256Of('1') } },
    ])
    const { chain, counter, previous, run_id } = manifest
    expect(predicate).toMatchObject({ chain, counter, previous, run_id, kind: 'deploy' })
    expect(await verified()).toMatchObject({ state: 'verified', files: 3 })
    expect(isLog(statementFile('files'))).toBe(false)
  })

  it('may be missing: an older HQ sealed the bundle', async () => {
    const { manifest } = await seal({ 'deploy_result.json': 1 })
    rmSync(join(dir, statementFile('files')))
    respell(manifest, (file) => file !== statementFile('files'))
    expect(await verified()).toMatchObject({ state: 'verified', files: 1 })
  })

  /** Signs another manifest over what lies in the folder, as the owner of the key could. */
  const respell = (manifest: Manifest, keep: (file: string) => boolean = () => true): void => {
    const { signature: _, ...content } = manifest
    const files = manifest.files
      .filter(({ path }) => keep(path))
      .map(({ path }) => {
        const bytes = readFileSync(join(dir, path))
        return { path, size: bytes.length, sha256: sha256Of(bytes) }
      })
    const text = documentText(signDocument('manifest', { ...content, files }, bench.key))
    writeFileSync(join(dir, 'manifest.json'), text)
  }

  it.each<[string, (content: Omit<Manifest, 'signature'>) => string]>([
    [
      'another run',
      (content) => signStatement(filesStatement({ ...content, run_id: runOf(2) }), bench.key),
    ],
    [
      'another digest of a file',
      (content) =>
        signStatement(
          filesStatement({
            ...content,
            files: content.files.map((file) => ({ ...file, sha256: digest('0') })),
          }),
          bench.key,
        ),
    ],
    ['another key', (content) => signStatement(filesStatement(content), newKey())],
    ['no envelope', () => 'nothing'],
  ])('breaks the proof when it is of %s, although the manifest lists it', async (_what, make) => {
    const { manifest } = await seal({ 'deploy_result.json': 1 })
    const { signature: _, ...content } = manifest
    const files = content.files.filter(({ path }) => path !== statementFile('files'))
    writeFileSync(join(dir, statementFile('files')), make({ ...content, files }))
    respell(manifest)
    const expected = {
      state: 'broken',
      problems: [{ code: 'statement_mismatch', file: 'files.intoto.jsonl' }],
    }
    expect(await verified()).toMatchObject(expected)
    const upload = new Map(
      ['manifest.json', 'deploy_result.json', statementFile('files')].map((name) => [
        name,
        readFileSync(join(dir, name)),
      ]),
    )
    expect(
      verifyFiles({ kind: 'deploy', runId: runOf(1), files: upload }, trusting(bench.key)),
    ).toMatchObject(expected)
  })

  it('is written again when a seal was cut short after it', async () => {
    dir = bench.write('deploy', 1, { 'deploy_result.json': '1' })
    writeFileSync(join(dir, statementFile('files')), 'of a seal that was cut short')
    await bench.seal('deploy', 1)
    expect(statementOf('files').subject).toHaveLength(1)
    expect(await verified()).toMatchObject({ state: 'verified' })
  })
})

describe('the statements of a green deploy', () => {
  it('are provenance and a summary of commit, tree, what runs, and the verdicts below', async () => {
    await seal({ 'deploy_result.json': deployDocument(commit, green), 'deployed.json': facts })
    const provenance = statementOf('provenance')
    expect(provenance).toMatchObject({
      predicateType: 'https://slsa.dev/provenance/v1',
      subject: [{ name: 'app', digest: { sha256: digest('d') } }],
      predicate: {
        buildDefinition: {
          resolvedDependencies: [
            { digest: { gitCommit: commit } },
            { digest: { gitTree: facts.tree } },
          ],
        },
        runDetails: { metadata: { invocationId: runOf(1) } },
      },
    })
    expect(statementOf('verification')).toMatchObject({
      predicateType: 'https://slsa.dev/verification_summary/v1',
      subject: [
        { digest: { gitCommit: commit } },
        { digest: { gitTree: facts.tree } },
        { name: 'app', digest: { sha256: digest('d') } },
      ],
      predicate: {
        verificationResult: 'PASSED',
        policy: { digest: { sha256: digest('f') } },
        inputAttestations: [
          { uri: reviewRef(commit), digest: { sha256: digest('1') } },
          { uri: statementRef('review', commit), digest: { sha256: digest('2') } },
          { uri: statementRef('tests', commit), digest: { sha256: digest('3') } },
          { uri: reviewRef('9'.repeat(40)), digest: { sha256: digest('4') } },
          { uri: 'provenance.intoto.jsonl', digest: { sha256: sha256Of(textOf('provenance')) } },
        ],
      },
    })
    expect(await verified()).toMatchObject({ state: 'verified' })
  })

  it.each([
    ['failed', { ...green, overall: 'FAIL' as const }, facts],
    ['left nothing of its own', green, undefined],
  ])('are not made of a deploy that %s', async (_what, result, own) => {
    await seal({
      'deploy_result.json': deployDocument(commit, result),
      ...(own === undefined ? {} : { 'deployed.json': own }),
    })
    expect(existsSync(join(dir, statementFile('verification')))).toBe(false)
    expect(await verified()).toMatchObject({ state: 'verified' })
  })

  it.each([
    ['commit', { ...facts, commit: '7'.repeat(40) }],
    ['run', { ...facts, run_id: runOf(2) }],
  ])(
    'are refused, and nothing is sealed, when its facts are about another %s',
    async (_what, own) => {
      const sealing = seal({
        'deploy_result.json': deployDocument(commit, green),
        'deployed.json': own,
      })
      await expect(sealing).rejects.toMatchObject({ errorClass: 'proof_broken' })
      expect(existsSync(join(dir, 'manifest.json'))).toBe(false)
    },
  )
})

// A ship and the deploy of its commit, sealed and exported as `hq proof export` does it.
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { exportStatements, type ExportRequest } from '#ops/core/proof/export-statements'
import { reviewStatement, testsStatement } from '#ops/core/trust/commit-statements'
import { signStatement } from '#ops/core/trust/envelope'
import { sha256Of } from '#ops/base/sha256'
import type { SigningKey } from '#ops/core/trust/signing-key'
import { signVerdict } from '#ops/core/trust/sign-verdict'
import type { Deployed } from '#shared/deployed'
import { statementFile, statementRef, type PushedStatement } from '#shared/statement'
import type { Verdict } from '#shared/verdict'
import { proofBench, runOf, trusting } from '../ops/core/proof/proof-bench.ts'
import { deployDocument } from './documents.ts'
import { sampleVerdict } from './verdict.ts'

export interface ExportedRun {
  readonly request: ExportRequest
  /** Folder of the ship's bundle. */
  readonly ship: string
  /** What the deploy was sealed with, by file. */
  readonly deployFiles: Readonly<Record<string, string>>
  readonly repo: string
  readonly shipKey: SigningKey
  readonly hostKey: SigningKey
  /** Names a blob by the ref of a statement. */
  putStatement(kind: PushedStatement, text: string): void
  export(): ReturnType<typeof exportStatements>
  remove(): void
}

const head = sampleVerdict.head_sha

/** @param reviewed what the statement of the review says otherwise than the verdict */
export async function exportedRun(reviewed: Partial<Verdict> = {}): Promise<ExportedRun> {
  const [laptop, host] = [proofBench(), proofBench()]
  const verdict = signVerdict(sampleVerdict, laptop.key)
  const texts = {
    review: signStatement(reviewStatement({ ...verdict, ...reviewed }), laptop.key),
    tests: signStatement(
      testsStatement({
        commit: verdict,
        runId: verdict.run_id,
        configuration: [{ name: 'openclaw.config.json', digest: { gitBlob: 'a'.repeat(40) } }],
        suites: [
          {
            name: 'unit',
            total: 1,
            passed: 1,
            failed: 0,
            skipped: 0,
            report_sha256: 'b'.repeat(64),
          },
        ],
      }),
      laptop.key,
    ),
  }
  const ship = laptop.write('ship', 1, {
    'verdict.json': JSON.stringify(verdict),
    [statementFile('review')]: texts.review,
    [statementFile('tests')]: texts.tests,
  })
  await laptop.seal('ship', 1)
  const facts: Deployed = {
    schema_version: 1,
    run_id: runOf(2),
    project: 'sample',
    branch: 'main',
    engine: 'process',
    commit: head,
    tree: sampleVerdict.tree_sha,
    is_rollback: false,
    build_sha256: 'c'.repeat(64),
    services: [{ name: 'app', sha256: 'd'.repeat(64) }],
    baseline: sampleVerdict.base_sha,
    trust_sha256: 'e'.repeat(64),
    reviews: [
      {
        commit: head,
        verdict_sha256: sha256Of(JSON.stringify(verdict)),
        statements: { review: sha256Of(texts.review), tests: sha256Of(texts.tests) },
      },
    ],
  }
  const deployFiles = {
    'deploy_result.json': JSON.stringify(
      deployDocument(head, { run_id: runOf(2), git_head: head }),
    ),
    'deployed.json': JSON.stringify(facts),
  }
  const deploy = host.write('deploy', 2, deployFiles)
  await host.seal('deploy', 2)
  const repo = join(host.root, '..', 'clone')
  mkdirSync(repo)
  const git = (args: string[], input?: string): string =>
    execFileSync('git', args, { cwd: repo, encoding: 'utf8', input }).trimEnd()
  git(['init', '--quiet'])
  const putStatement = (kind: PushedStatement, text: string): void => {
    git(['update-ref', statementRef(kind, head), git(['hash-object', '-w', '--stdin'], text)])
  }
  putStatement('review', texts.review)
  putStatement('tests', texts.tests)
  const request: ExportRequest = {
    bundles: [
      { dir: ship, keys: trusting(laptop.key) },
      { dir: deploy, keys: trusting(host.key) },
    ],
    shipKeys: trusting(laptop.key),
    repo,
  }
  return {
    request,
    ship,
    deployFiles,
    repo,
    shipKey: laptop.key,
    hostKey: host.key,
    putStatement,
    export: () => exportStatements(request),
    remove: () => {
      laptop.remove()
      host.remove()
    },
  }
}

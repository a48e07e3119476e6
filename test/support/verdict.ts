import { createHash } from 'node:crypto'
import { newRunId } from '#shared/ids'
import { verdict as verdictSchema, type Verdict } from '#shared/verdict'
import { withNeutralGit } from '#ops/platform/git/neutral-diff'
import { gitText } from '#ops/platform/git/run-git'

/** The reviewer of tests: a host that trusts it lists it in its trust file. */
export const testProvider = { id: 'test', base_url: 'http://127.0.0.1:9/v1' }

/** An APPROVED verdict, unsigned, of exactly what lies between two commits of `repo`. */
export async function verdictFor(
  repo: string,
  base_sha: string,
  head_sha: string,
): Promise<Verdict> {
  return {
    schema_version: 1,
    verdict_id: head_sha.slice(0, 12),
    run_id: newRunId(),
    verdict: 'APPROVED',
    repository: 'sample',
    base_sha,
    head_sha,
    tree_sha: await gitText(repo, [
      'rev-parse',
      '--verify',
      '--end-of-options',
      `${head_sha}^{tree}`,
    ]),
    diff_sha256: await withNeutralGit(repo, (neutral) => neutral.diffDigest(base_sha, head_sha)),
    prompt_sha256: createHash('sha256').update('').digest('hex'),
    nonce: 'n',
    files: [],
    findings: [],
    summary: '',
    gate_settings_changed: [],
    reviewer: {
      cli: 'codex',
      cli_version: '0',
      model: 'test',
      provider_id: testProvider.id,
      base_url: testProvider.base_url,
      scripted: true,
    },
    usage: null,
    created_at: new Date().toISOString(),
  }
}

/** A verdict about no commit of any repository. */
export const sampleVerdict: Verdict = verdictSchema.parse({
  schema_version: 1,
  verdict_id: 'v-1',
  run_id: '20261123T000000Z-00000001',
  verdict: 'APPROVED',
  repository: 'sample',
  base_sha: 'a'.repeat(40),
  head_sha: 'b'.repeat(40),
  tree_sha: 'c'.repeat(40),
  diff_sha256: 'd'.repeat(64),
  prompt_sha256: 'e'.repeat(64),
  nonce: 'n',
  files: [{ path: 'src/ä.ts', status: 'modified', binary: false, additions: 1, deletions: 0 }],
  findings: [],
  summary: 'Looks right.\u2028 "quoted"',
  gate_settings_changed: [],
  reviewer: {
    cli: 'codex',
    cli_version: '0.169.0',
    model: 'm',
    provider_id: 'openai',
    base_url: 'https://api.openai.com/v1',
    scripted: false,
  },
  usage: null,
  created_at: '2026-11-23T00:00:00.000Z',
})

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { treeOf } from '#ops/platform/git/commits'
import { withNeutralGit } from '#ops/platform/git/neutral-diff'
import { walkVerdicts } from '#ops/core/trust/review-chain'
import { newRunId } from '#shared/ids'
import { reviewRef, type Verdict } from '#shared/verdict'

/** Four commits with the verdicts of the second and the fourth, new before each test. */
export function verdictChain() {
  let repo: string
  let commits: string[]
  const provider = { id: 'openai', base_url: 'https://api.openai.com/v1' }
  const git = (args: string[], input?: string): string =>
    execFileSync('git', args, {
      cwd: repo,
      encoding: 'utf8',
      input,
      stdio: ['pipe', 'pipe', 'pipe'],
    }).trimEnd()

  async function verdictOf(base: string, head: string): Promise<Verdict> {
    return {
      schema_version: 1,
      verdict_id: `verdict-${head}`,
      run_id: newRunId(),
      verdict: 'APPROVED',
      repository: 'sample',
      base_sha: base,
      head_sha: head,
      tree_sha: await treeOf(repo, head),
      diff_sha256: await withNeutralGit(repo, (neutral) => neutral.diffDigest(base, head)),
      prompt_sha256: '0'.repeat(64),
      nonce: 'n',
      files: [],
      findings: [],
      summary: '',
      gate_settings_changed: [],
      reviewer: {
        cli: 'codex',
        cli_version: '1',
        model: 'm',
        provider_id: provider.id,
        base_url: provider.base_url,
        scripted: false,
      },
      usage: null,
      created_at: new Date().toISOString(),
    }
  }
  const put = (head: string, content: unknown): void => {
    git([
      'update-ref',
      reviewRef(head),
      git(
        ['hash-object', '-w', '--stdin'],
        typeof content === 'string' ? content : JSON.stringify(content),
      ),
    ])
  }
  const at = (index: number): string => commits.at(index) ?? ''
  const question = () => ({ repo, baseline: at(0), acceptedProviders: [provider] })
  const walk = (target: string, change: object = {}) =>
    walkVerdicts({ ...question(), target, ...change })

  beforeAll(() => {
    repo = mkdtempSync(join(tmpdir(), 'chain-'))
    git(['init', '--quiet', '--initial-branch=main'])
    commits = ['a', 'b', 'c', 'd'].map((content) => {
      writeFileSync(join(repo, 'file.txt'), content)
      git(['add', '--all'])
      git(['-c', 'user.name=T', '-c', 'user.email=t@localhost', 'commit', '--quiet', '-m', content])
      return git(['rev-parse', 'HEAD'])
    })
  })
  afterAll(() => rmSync(repo, { recursive: true, force: true }))
  beforeEach(async () => {
    for (const ref of git(['for-each-ref', '--format=%(refname)', 'refs/openclaw/'])
      .split('\n')
      .filter(Boolean))
      git(['update-ref', '-d', ref])
    put(at(1), await verdictOf(at(0), at(1)))
    put(at(3), await verdictOf(at(1), at(3)))
  })
  return {
    get repo() {
      return repo
    },
    git,
    verdictOf,
    put,
    at,
    question,
    walk,
  }
}

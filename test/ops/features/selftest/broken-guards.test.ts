import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { checksResult, type ChecksResult } from '#shared/result'
import { must, runProgram } from '../../../support/rig/programs.ts'
import { brokenPackage, type Neutralised } from './package-copy.ts'

/** A guard, the line of it that is broken, and the checks that must report it. All are broken at once to save time. */
const broken: readonly (Neutralised & {
  readonly guard: string
  readonly seen: readonly string[]
})[] = [
  {
    guard: 'publishing on [::]',
    file: 'ops/host/engines/compose/reach-rules.ts',
    line: 'if (isPrivateAddress(host_ip)) continue',
    by: "if (isPrivateAddress(host_ip) || host_ip === '::') continue",
    seen: ['compose:all_ipv6'],
  },
  {
    guard: 'privileged containers',
    file: 'ops/host/engines/compose/keys.ts',
    line: "privileged: refused( 'privileged', 'runs privileged, with every device and capability of the host', ),",
    by: 'privileged: harmless,',
    seen: ['compose:privileged'],
  },
  {
    guard: 'UDP sockets',
    file: 'ops/features/port-audit/host-sockets.ts',
    line: 'if (isPrivateAddress(address) ||',
    by: "if (isPrivateAddress(address) || protocol === 'udp' ||",
    seen: ['sockets:udp'],
  },
  {
    guard: 'skipped tests',
    file: 'ops/features/ship/tests/test-suite.ts',
    line: 'if (refused.length === 0 && unnamed === 0) return null',
    by: 'if (unnamed >= 0) return null',
    seen: ['tests:skipped', 'tests:skip_expired'],
  },
  {
    guard: 'signatures of verdicts',
    file: 'ops/core/trust/verdict-link.ts',
    line: "if (signed !== 'verified' &&",
    by: 'if (signed === undefined &&',
    seen: ['reviews:edited', 'reviews:foreign_key', 'reviews:unsigned'],
  },
  {
    guard: 'statements beside a verdict',
    file: 'ops/core/trust/statement-link.ts',
    line: 'return why === null ? null',
    by: 'return why !== undefined ? null',
    seen: ['reviews:contradicted'],
  },
  {
    guard: 'accepted providers',
    file: 'ops/core/trust/verdict-link.ts',
    line: 'acceptedProviders.some((each) => each.id === provider_id && each.base_url === base_url)',
    by: 'acceptedProviders.some((each) => each.id === provider_id)',
    seen: ['reviews:other_provider'],
  },
  {
    guard: 'the nonce of an answer',
    file: 'ops/features/ship/review/judge-answer.ts',
    line: "'diff_sha256', 'nonce'] as const",
    by: "'diff_sha256'] as const",
    seen: ['review_answer:other_nonce'],
  },
  {
    guard: 'doubled tokens',
    file: 'hostd/http/auth.ts',
    line: 'if (given.length !== 1 ||',
    by: 'if (given.length === 0 ||',
    seen: ['hostd:doubled_token'],
  },
  {
    guard: 'requests through Funnel',
    file: 'hostd/http/auth.ts',
    line: "headerValues(request, 'tailscale-funnel-request').length > 0",
    by: "headerValues(request, 'tailscale-funnel-request').length > 9",
    seen: ['hostd:funnel'],
  },
  {
    guard: 'an unreadable maintenance file',
    file: 'ops/core/host-state/maintenance.ts',
    line: 'return { on: true, unreadable:',
    by: 'return { on: false, unreadable:',
    seen: ['hostd:maintenance_unreadable'],
  },
  {
    guard: 'names of artifacts',
    file: 'ops/base/files/artifacts.ts',
    line: 'const plain = /^[^.',
    by: 'const plain = /^[^',
    seen: ['hostd:artifact_dots', 'hostd:artifact_encoded_dots', 'hostd:artifact_hidden_file'],
  },
  {
    guard: 'the address of hostd',
    file: 'hostd/listen.ts',
    line: "range() === 'loopback' ? null :",
    by: "range() !== '' ? null :",
    seen: ['hostd:public_address'],
  },
  {
    guard: 'pushable remotes',
    file: 'ops/features/deploy/sync/pull-only.ts',
    line: "if (pushed.exitCode === 0)\n    throw new Problem(\n      'production_can_push'",
    by: "if (pushed.exitCode === 4711)\n    throw new Problem(\n      'production_can_push'",
    seen: [
      'pull_only:git_environment',
      'pull_only:password_in_url',
      'pull_only:push_url',
      'pull_only:pushable',
    ],
  },
  {
    guard: 'CODEX_SKIP',
    file: 'ops/features/ship/preconditions/environment.ts',
    line: 'if (value === undefined) return null',
    by: "if (value !== '1') return null",
    seen: ['ship:codex_skip'],
  },
  {
    guard: 'skip-worktree',
    file: 'ops/features/ship/preconditions/working-tree.ts',
    line: 'return hidden.length === 0',
    by: 'return hidden.length < 9',
    seen: ['ship:skip_worktree'],
  },
  {
    guard: 'added files of a proof',
    file: 'ops/core/proof/check-bundle.ts',
    line: "note('file_extra'",
    by: "if (named.size > 99) note('file_extra'",
    seen: ['proof:file_added'],
  },
]

let folder: string
let document: ChecksResult
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'broken-'))
  const root = brokenPackage(join(folder, 'package'), broken)
  const temp = join(folder, 'tmp')
  await must(['mkdir', temp])
  const { code, out } = await runProgram(
    [
      join(root, 'node_modules/.bin/node'),
      join(root, 'ops/hq.mjs'),
      'selftest',
      '--junit',
      join(folder, 'report.xml'),
      '--json',
    ],
    {
      cwd: folder,
      env: { PATH: process.env['PATH'] ?? '', HOME: folder, TMPDIR: temp },
      seconds: 600,
    },
  )
  expect(code).toBe(1)
  document = checksResult.parse(JSON.parse(out))
}, 700_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it.each(broken)('reports the broken guard: $guard', ({ seen }) => {
  const failed = document.checks.filter(({ name }) => seen.includes(name))
  expect(failed.map(({ name, status }) => `${status} ${name}`).toSorted()).toEqual(
    seen.map((name) => `FAIL ${name}`).toSorted(),
  )
  for (const { detail, remedy } of failed)
    expect([detail, remedy]).toEqual([
      expect.stringMatching(/(?:accepted|refused) .*; it must refuse it as /),
      'report_bug',
    ])
})

it('fails no other check, and reports the failure in the document', () => {
  expect(
    document.checks
      .filter(({ status }) => status !== 'PASS')
      .map(({ name }) => name)
      .toSorted(),
  ).toEqual(broken.flatMap(({ seen }) => seen).toSorted())
  expect(document).toMatchObject({
    kind: 'selftest',
    overall: 'FAIL',
    error_class: 'selftest_failed',
    next_auto_fix: 'report_bug',
  })
})

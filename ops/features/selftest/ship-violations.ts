import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import { newRunId } from '#shared/ids'
import { withNeutralGit } from '#ops/platform/git/neutral-diff'
import { writeJson } from '#ops/base/files/json-file'
import { signVerdict } from '#ops/core/trust/sign-verdict'
import type { FactContext } from '#ops/core/pipeline/pipeline'
import {
  checkPush,
  checkStep,
  frozenOf,
  initialFacts,
  leaveStatements,
  preflightStep,
  type PushedRef,
  type ShipFacts,
  type ShipLock,
  takeShipLock,
} from '#ops/features/ship/index'
import { statementFile } from '#shared/statement'
import type { Verdict } from '#shared/verdict'
import type { Workspace } from './workspace.ts'
import { attempting, once, type Attempt, type ViolationGroup, type Violation } from './violation.ts'
import { approval, branch, type Repositories } from './repositories.ts'

/** The host name of every ship of the self-test, so that its control also passes on a production host. */
const hostName = 'laptop'

type Environment = ShipFacts['env']
interface Laptop {
  readonly workspace: Workspace
  readonly signal: AbortSignal
  readonly made: Repositories
  /** Copies the clone. @returns the path of the copy */
  readonly copy: (name: string) => string
}

const contextOf = ({ signal }: Laptop, dir: string): FactContext<ShipFacts> => ({
  signal,
  dir,
  note: () => undefined,
  log: () => undefined,
  run: ([program]) =>
    Promise.reject(new Problem('internal_error', `${program ?? ''} is not run by the self-test.`)),
})

interface Machine {
  readonly env?: Environment
  readonly host?: string
}

/** @returns the ship after preflight @throws {Problem} what preflight refuses */
async function preflight(
  laptop: Laptop,
  repo: string,
  { env = {}, host = hostName }: Machine = {},
): Promise<ShipFacts> {
  const runId = newRunId()
  const ship = initialFacts({
    runId,
    repo,
    home: laptop.made.home,
    dir: laptop.workspace.sub('ships', runId),
    env,
    hostName: host,
  })
  let lock = null as ShipLock | null
  try {
    let facts = ship
    const step = preflightStep(
      async (commit) => (lock = await takeShipLock(repo, ship.runId, commit)),
    )
    const outcome = await step.run(ship, {
      ...contextOf(laptop, ship.dir),
      note: (more) => {
        facts = { ...facts, ...more }
      },
    })
    return { ...facts, ...outcome?.facts }
  } finally {
    lock?.release()
  }
}

type Case<T> = readonly [name: string, what: string, expected: string, change: T]

/** Refusals that depend on the repository. Each has a copy of the clone. */
function repositoryViolations(laptop: Laptop, control: Attempt): Violation[] {
  const { git, id } = laptop.made
  const run =
    (...args: string[]) =>
    (repo: string): Promise<string> =>
      git(repo, args)
  const cases: readonly Case<(repo: string) => unknown>[] = [
    [
      'hooks_in_clone',
      'core.hooksPath in the clone',
      'hook_bypass',
      run('config', 'core.hooksPath', '/dev/null'),
    ],
    [
      'replace_refs',
      'a replace ref',
      'replace_refs',
      run('update-ref', `refs/replace/${id('change')}`, id('baseline')),
    ],
    [
      'skip_worktree',
      'a file marked skip-worktree',
      'hidden_changes',
      run('update-index', '--skip-worktree', 'app.txt'),
    ],
    [
      'dirty',
      'a change that is in no commit',
      'dirty_tree',
      (repo) => writeFileSync(join(repo, 'app.txt'), 'in no commit\n'),
    ],
    [
      'half_merged',
      'an unfinished merge',
      'unfinished_git_operation',
      (repo) => writeFileSync(join(repo, '.git', 'MERGE_HEAD'), `${id('unreviewed')}\n`),
    ],
    [
      'next_actions',
      'two next actions',
      'next_action_invalid',
      run('reset', '--quiet', '--hard', id('no_next_action')),
    ],
  ]
  return cases.map(([name, what, expected, change]) => ({
    name,
    what,
    expected,
    control,
    attempt: attempting(async () => {
      const repo = laptop.copy(name)
      await change(repo)
      await preflight(laptop, repo)
    }),
  }))
}

/** Refusals that depend on the machine or the environment. They change nothing in the clone and share one copy. */
function machineViolations(laptop: Laptop, control: Attempt): Violation[] {
  const cases: readonly Case<(repo: string) => Machine>[] = [
    [
      'production_host',
      'a machine called aiops-1',
      'host_guard_production',
      () => ({ host: 'aiops-1' }),
    ],
    [
      'production_environment',
      'OPENCLAW_PRODUCTION=1',
      'host_guard_production',
      () => ({ env: { OPENCLAW_PRODUCTION: '1' } }),
    ],
    [
      'install_root',
      'the install root of a host',
      'host_guard_production',
      (repo) => ({ env: { OPENCLAW_ROOT: repo } }),
    ],
    ['codex_skip', 'CODEX_SKIP, empty', 'codex_skip_set', () => ({ env: { CODEX_SKIP: '' } })],
    [
      'hooks_in_environment',
      'core.hooksPath by GIT_CONFIG_*',
      'hook_bypass',
      () => ({
        env: {
          GIT_CONFIG_COUNT: '1',
          GIT_CONFIG_KEY_0: 'core.hooksPath',
          GIT_CONFIG_VALUE_0: '/dev/null',
        },
      }),
    ],
  ]
  let shared: string | undefined
  return cases.map(([name, what, expected, machine]) => ({
    name,
    what,
    expected,
    control,
    attempt: attempting(async () => {
      const repo = (shared ??= laptop.copy(sharedName))
      await preflight(laptop, repo, machine(repo))
    }),
  }))
}

/** The digest of the change that a ship ships; the same in every copy of its clone. */
function digestOf({ signal }: Laptop, ship: ShipFacts): Promise<string> {
  const { base, head } = frozenOf(ship)
  return withNeutralGit(ship.repo, (neutral) => neutral.diffDigest(base, head), { signal })
}

/** Gives a ship that passed preflight the verdict that a review would leave. */
async function approve(
  { made, signal }: Laptop,
  ship: ShipFacts,
  diff_sha256: string,
): Promise<ShipFacts> {
  const { base, head, tree } = frozenOf(ship)
  const verdict: Verdict = {
    ...approval(`verdict-${ship.runId}`),
    run_id: ship.runId,
    base_sha: base,
    head_sha: head,
    tree_sha: tree,
    diff_sha256,
  }
  const signed = signVerdict(verdict, made.key)
  writeJson(join(ship.dir, 'verdict.json'), signed)
  return { ...ship, verdict: signed, statements: await leaveStatements(ship, signed, { signal }) }
}

/** Changes that the check right before the push must refuse. @param passed the ship that passed preflight */
function pushCheckViolations(laptop: Laptop, passed: () => Promise<ShipFacts>): Violation[] {
  const {
    made: { git, id },
  } = laptop
  let digest: Promise<string> | undefined
  /** Checks a ship like the one that passed, in a copy of its clone. */
  const checked = (name: string, change: (ship: ShipFacts) => Promise<unknown> | undefined) =>
    attempting(async () => {
      const before = await passed()
      const repo = laptop.copy(name)
      const ship = await approve(
        laptop,
        { ...before, repo, dir: laptop.workspace.sub('checks', name) },
        await (digest ??= digestOf(laptop, before)),
      )
      await change(ship)
      await checkStep.run(ship, contextOf(laptop, ship.dir))
    })
  const control = once(checked('push', () => undefined))
  const edit =
    (change: (ship: ShipFacts) => void) =>
    (ship: ShipFacts): undefined =>
      change(ship) as undefined
  return [
    {
      name: 'verdict_edited',
      what: 'a verdict that was edited during the ship',
      expected: 'verdict_signature_invalid',
      control,
      attempt: checked(
        'verdict_edited',
        edit((ship) =>
          writeJson(join(ship.dir, 'verdict.json'), { ...ship.verdict, summary: 'Edited.' }),
        ),
      ),
    },
    {
      name: 'statement_edited',
      what: 'a statement that was replaced during the ship by another one of the same key',
      expected: 'statement_mismatch',
      control,
      attempt: checked(
        'statement_edited',
        edit((ship) =>
          cpSync(join(ship.dir, statementFile('tests')), join(ship.dir, statementFile('review'))),
        ),
      ),
    },
    {
      name: 'head_moved',
      what: 'a commit made during the ship',
      expected: 'head_moved',
      control,
      attempt: checked('head_moved', ({ repo }) =>
        git(repo, ['reset', '--quiet', '--hard', id('unreviewed')]),
      ),
    },
    {
      name: 'origin_redirected',
      what: 'a git configuration that redirects origin after preflight',
      expected: 'remote_moved',
      control,
      attempt: checked('origin_redirected', ({ repo }) =>
        git(repo, ['config', 'url.file:///elsewhere/.insteadOf', laptop.workspace.folder]),
      ),
    },
  ]
}

function hookViolations({ made: { home, id } }: Laptop, repo: string): Violation[] {
  const pushed = (commit: string | null, remoteCommit: string) =>
    attempting(async () =>
      (
        await checkPush(repo, home, [
          { remoteRef: `refs/heads/${branch}`, commit, remoteCommit } satisfies PushedRef,
        ])
      ).join('; '),
    )
  const control = once(pushed(id(branch), id('baseline')))
  return [
    {
      name: 'push_unreviewed',
      what: 'a push of an unreviewed commit',
      expected: 'unreviewed_commit',
      control,
      attempt: pushed(id('unreviewed'), id(branch)),
    },
    {
      name: 'push_forced',
      what: 'a push that moves main back',
      expected: 'forced_push',
      control,
      attempt: pushed(id('baseline'), id(branch)),
    },
    {
      name: 'push_deletion',
      what: 'a push that deletes main',
      expected: 'forced_push',
      control,
      attempt: pushed(null, id(branch)),
    },
  ]
}

const sharedName = 'outside'
const preflightNames = [
  sharedName,
  'hooks_in_clone',
  'replace_refs',
  'skip_worktree',
  'dirty',
  'half_merged',
  'next_actions',
]
const pushCheckNames = [
  'push',
  'verdict_edited',
  'statement_edited',
  'head_moved',
  'origin_redirected',
]

/** What a ship must refuse before the tests, right before the push, and in the hook of the clone. */
export const shipViolations = (made: () => Promise<Repositories>): ViolationGroup => ({
  name: 'ship',
  guard: 'The gates of a ship',
  prepare: async (workspace, signal) => {
    const repositories = await made()
    const { git, id, clone, baselines } = repositories
    const [clones, clean] = [workspace.sub('clones'), clone('clones', 'clean')]
    await git(clean, ['reset', '--quiet', '--hard', id('change')])
    const copy = (name: string): string => {
      const repo = join(clones, name)
      cpSync(clean, repo, { recursive: true, preserveTimestamps: true })
      return repo
    }
    baselines([clean, ...[...preflightNames, ...pushCheckNames].map((name) => join(clones, name))])
    const laptop: Laptop = { workspace, signal, made: repositories, copy }
    let passing: Promise<ShipFacts> | undefined
    const passed = (): Promise<ShipFacts> => (passing ??= preflight(laptop, clean))
    const control = once(
      attempting(async () => {
        await passed()
      }),
    )
    return {
      violations: [
        ...machineViolations(laptop, control),
        ...repositoryViolations(laptop, control),
        ...pushCheckViolations(laptop, passed),
        ...hookViolations(laptop, clean),
      ],
    }
  },
})

import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import { newRunId } from '#shared/ids'
import { withNeutralGit } from '#ops/platform/git/neutral-diff'
import { writeJson } from '#ops/base/files/json-file'
import { signVerdict } from '#ops/core/trust/sign-verdict'
import type { FactContext } from '#ops/core/pipeline/pipeline'
import { checkPush, type PushedRef } from '#ops/features/ship/index'
import { checkStep } from '#ops/features/ship/index'
import { preflightStep } from '#ops/features/ship/index'
import { takeShipLock, type ShipLock } from '#ops/features/ship/index'
import { frozenOf, newShip, type Ship } from '#ops/features/ship/index'
import type { Verdict } from '#shared/verdict'
import type { Place } from './workspace.ts'
import { attempt, once, type Attempt, type Group, type Plant } from './violation.ts'
import { branch, provider, type Repositories } from './repositories.ts'

/** Where every ship of the self-test is started, so that one planted on a production host can be let through. */
const hostName = 'laptop'

type Environment = Ship['env']
interface Laptop {
  readonly place: Place
  readonly signal: AbortSignal
  readonly made: Repositories
  /** A fresh copy of the clone. */ readonly copy: (name: string) => string
}

const contextOf = ({ signal }: Laptop, dir: string): FactContext<object> => ({
  signal,
  dir,
  note: () => undefined,
  log: () => undefined,
  run: ([program]) =>
    Promise.reject(new Problem('internal_error', `${program ?? ''} is not run by the self-test.`)),
})

/** @returns the ship as preflight left it @throws {Problem} what preflight refuses */
async function preflight(
  laptop: Laptop,
  repo: string,
  env: Environment = {},
  name = hostName,
): Promise<Ship> {
  const runId = newRunId()
  const ship = newShip({
    runId,
    repo,
    home: laptop.made.home,
    dir: laptop.place.sub('ships', runId),
    env,
    hostName: name,
  })
  let lock = null as ShipLock | null
  try {
    await preflightStep(
      ship,
      async (commit) => (lock = await takeShipLock(repo, ship.runId, commit)),
    ).run({}, contextOf(laptop, ship.dir))
    return ship
  } finally {
    lock?.release()
  }
}

function preflightPlants(laptop: Laptop, control: Attempt): Plant[] {
  const {
    copy,
    made: { git, id },
  } = laptop
  const refused = (
    name: string,
    planted: string,
    expected: string,
    plant: (repo: string) => unknown,
  ): Plant => ({
    name,
    planted,
    expected,
    control,
    plant: attempt(async () => {
      const repo = copy(name)
      await plant(repo)
      await preflight(laptop, repo)
    }),
  })
  /** Of the machine or the environment: nothing is planted in the clone, so one serves them all. */
  let shared: string | undefined
  const outside = (
    name: string,
    planted: string,
    expected: string,
    env: (repo: string) => Environment,
    host = hostName,
  ): Plant => ({
    name,
    planted,
    expected,
    control,
    plant: attempt(async () => {
      const repo = (shared ??= copy(sharedName))
      await preflight(laptop, repo, env(repo), host)
    }),
  })
  const run =
    (args: readonly string[]) =>
    (repo: string): Promise<string> =>
      git(repo, args)
  return [
    outside(
      'production_host',
      'a machine called aiops-1',
      'host_guard_production',
      () => ({}),
      'aiops-1',
    ),
    outside('production_environment', 'OPENCLAW_PRODUCTION=1', 'host_guard_production', () => ({
      OPENCLAW_PRODUCTION: '1',
    })),
    outside('install_root', 'the install root of a host', 'host_guard_production', (repo) => ({
      OPENCLAW_ROOT: repo,
    })),
    outside('codex_skip', 'CODEX_SKIP, empty', 'codex_skip_set', () => ({ CODEX_SKIP: '' })),
    refused(
      'hooks_in_clone',
      'core.hooksPath in the clone',
      'hook_bypass',
      run(['config', 'core.hooksPath', '/dev/null']),
    ),
    outside('hooks_in_environment', 'core.hooksPath by GIT_CONFIG_*', 'hook_bypass', () => ({
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'core.hooksPath',
      GIT_CONFIG_VALUE_0: '/dev/null',
    })),
    refused(
      'replace_refs',
      'a replace ref',
      'replace_refs',
      run(['update-ref', `refs/replace/${id('change')}`, id('baseline')]),
    ),
    refused(
      'skip_worktree',
      'a file marked skip-worktree',
      'hidden_changes',
      run(['update-index', '--skip-worktree', 'app.txt']),
    ),
    refused('dirty', 'a change that is in no commit', 'dirty_tree', (repo) => {
      writeFileSync(join(repo, 'app.txt'), 'in no commit\n')
    }),
    refused('half_merged', 'a merge that was not ended', 'unfinished_git_operation', (repo) => {
      writeFileSync(join(repo, '.git', 'MERGE_HEAD'), `${id('unreviewed')}\n`)
    }),
    refused(
      'next_actions',
      'two next actions',
      'next_action_invalid',
      run(['reset', '--quiet', '--hard', id('no_next_action')]),
    ),
  ]
}

/** The digest of what a ship is about; the same in every copy of its clone. */
function digestOf({ signal }: Laptop, ship: Ship): Promise<string> {
  const { base, head } = frozenOf(ship)
  return withNeutralGit(ship.repo, (neutral) => neutral.diffDigest(base, head), { signal })
}

/** Gives a ship that passed preflight the verdict that a review would have left. */
function reviewed({ made }: Laptop, ship: Ship, diff_sha256: string): void {
  const { base, head, tree } = frozenOf(ship)
  const verdict: Verdict = {
    schema_version: 1,
    verdict_id: `verdict-${ship.runId}`,
    run_id: ship.runId,
    verdict: 'APPROVED',
    repository: 'selftest',
    base_sha: base,
    head_sha: head,
    tree_sha: tree,
    diff_sha256,
    prompt_sha256: '0'.repeat(64),
    nonce: 'selftest',
    files: [],
    findings: [],
    summary: 'Planted.',
    gate_settings_changed: [],
    reviewer: {
      cli: 'codex',
      cli_version: '0',
      model: 'selftest',
      provider_id: provider.id,
      base_url: provider.base_url,
      scripted: false,
    },
    usage: null,
    created_at: new Date().toISOString(),
  }
  ship.verdict = signVerdict(verdict, made.key)
  writeJson(join(ship.dir, 'verdict.json'), ship.verdict)
}

/** The last look before the push. @param passed the ship that preflight let through, with its verdict */
function lastLookPlants(laptop: Laptop, passed: () => Promise<Ship>): Plant[] {
  const {
    made: { git, id },
  } = laptop
  let digest: Promise<string> | undefined
  /** A ship like the one that passed, in a copy of its clone. */
  const looked = (name: string, plant: (ship: Ship) => Promise<unknown> | undefined) =>
    attempt(async () => {
      const before = await passed()
      const repo = laptop.copy(name)
      const ship: Ship = { ...before, repo, dir: laptop.place.sub('looks', name) }
      reviewed(laptop, ship, await (digest ??= digestOf(laptop, before)))
      await plant(ship)
      await checkStep(ship).run({}, contextOf(laptop, ship.dir))
    })
  const control = once(looked('push', () => undefined))
  const edit =
    (change: (ship: Ship) => void) =>
    (ship: Ship): undefined =>
      change(ship) as undefined
  return [
    {
      name: 'verdict_edited',
      planted: 'a verdict that was edited during the ship',
      expected: 'verdict_signature_invalid',
      control,
      plant: looked(
        'verdict_edited',
        edit((ship) =>
          writeJson(join(ship.dir, 'verdict.json'), { ...ship.verdict, summary: 'Edited.' }),
        ),
      ),
    },
    {
      name: 'head_moved',
      planted: 'a commit made during the ship',
      expected: 'head_moved',
      control,
      plant: looked('head_moved', ({ repo }) =>
        git(repo, ['reset', '--quiet', '--hard', id('unreviewed')]),
      ),
    },
    {
      name: 'origin_redirected',
      planted: 'a git configuration that leads origin elsewhere since preflight',
      expected: 'remote_moved',
      control,
      plant: looked('origin_redirected', ({ repo }) =>
        git(repo, ['config', 'url.file:///elsewhere/.insteadOf', laptop.place.folder]),
      ),
    },
  ]
}

function hookPlants({ made: { home, id } }: Laptop, repo: string): Plant[] {
  const pushed = (commit: string | null, remoteCommit: string) =>
    attempt(async () =>
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
      planted: 'a push of an unreviewed commit',
      expected: 'unreviewed_commit',
      control,
      plant: pushed(id('unreviewed'), id(branch)),
    },
    {
      name: 'push_forced',
      planted: 'a push that takes main back',
      expected: 'forced_push',
      control,
      plant: pushed(id('baseline'), id(branch)),
    },
    {
      name: 'push_deletion',
      planted: 'a push that deletes main',
      expected: 'forced_push',
      control,
      plant: pushed(null, id(branch)),
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
const lastLookNames = ['push', 'verdict_edited', 'head_moved', 'origin_redirected']

/** What a ship refuses before the tests, right before the push, and in the hook of the clone. */
export const shipPlants = (made: () => Promise<Repositories>): Group => ({
  name: 'ship',
  guard: 'The gates of a ship',
  make: async (place, signal) => {
    const repositories = await made()
    const { git, id, clone, baselines } = repositories
    const [clones, clean] = [place.sub('clones'), clone('clones', 'clean')]
    await git(clean, ['reset', '--quiet', '--hard', id('change')])
    const copy = (name: string): string => {
      const repo = join(clones, name)
      cpSync(clean, repo, { recursive: true, preserveTimestamps: true })
      return repo
    }
    baselines([clean, ...[...preflightNames, ...lastLookNames].map((name) => join(clones, name))])
    const laptop: Laptop = { place, signal, made: repositories, copy }
    let passing: Promise<Ship> | undefined
    const passed = (): Promise<Ship> => (passing ??= preflight(laptop, clean))
    const control = once(
      attempt(async () => {
        await passed()
      }),
    )
    return {
      plants: [
        ...preflightPlants(laptop, control),
        ...lastLookPlants(laptop, passed),
        ...hookPlants(laptop, clean),
      ],
    }
  },
})

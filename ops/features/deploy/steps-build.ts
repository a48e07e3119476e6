import type { ProjectConfig } from '#shared/config'
import { Problem } from '#shared/errors'
import { intactGreenBuild } from '#ops/host/engines/common/green-builds'
import { engineOf } from '#ops/host/engines/registry'
import { readServing } from '#ops/core/host-state/service-record'
import type { Step, StepContext } from '#ops/core/pipeline/pipeline'
import { installRoot } from '#ops/base/process/program'
import { pruneReleases, releaseVersion, switchCurrent } from '#ops/core/host-state/releases'
import { consoleService } from './console-service.ts'
import { need, type DeployFacts, type DeployHost } from './facts.ts'
import { followedBranch, requireClone } from '#ops/platform/git/host-git'
import { syncToRemote } from './git-sync.ts'
import { isHqItself, makeRelease, requireHostd } from './hostd-install.ts'
import { buildOwnConsole, shownRelease } from './hq-console.ts'
import { provePullOnly } from './pull-only.ts'
import { switchHostd } from './switch-hostd.ts'

const short = (sha: string): string => sha.slice(0, 12)

/** @throws {Problem} `config_invalid` when the engine cannot run services on such a host */
function requireSuitableEngine({ settings }: DeployHost, { engine }: ProjectConfig): void {
  const why = engineOf(engine).whyUnsuitable(settings)
  if (why !== null) throw new Problem('config_invalid', `${why} What serves is untouched.`)
}

/** Where systemd runs hostd it is started again from the release; elsewhere nobody here may end what another program started. */
async function takeUpRelease(
  host: DeployHost,
  release: string,
  context: StepContext,
): Promise<string> {
  if (host.settings.launcher === 'systemd') return await switchHostd(host, release, context)
  switchCurrent(host.paths, release)
  return `release ${releaseVersion(release)} is proven and current; the hostd that runs keeps its version until its launcher starts it again`
}

/** The steps up to the running new version. */
export const buildSteps = (host: DeployHost): Step<DeployFacts>[] => [
  {
    name: 'assert_production_pull_only',
    timeLimitSeconds: 120,
    run: async (_facts, context) => {
      requireClone(host.paths.root)
      const proofs = await provePullOnly(
        host.paths.root,
        await followedBranch(host.paths.root, context.signal),
        context,
      )
      return { detail: proofs.map(({ detail }) => detail).join('; ') }
    },
  },
  {
    name: 'git_sync',
    timeLimitSeconds: 600,
    run: async (_facts, context) => {
      const synced = await syncToRemote(
        host,
        await followedBranch(host.paths.root, context.signal),
        context,
      )
      requireSuitableEngine(host, synced.config)
      const serving = readServing(host.paths)
      return {
        facts: {
          target_sha: synced.sha,
          origin_sha: synced.origin,
          git_head: synced.sha,
          git_tree: synced.tree,
          config: synced.config,
          engine: synced.config.engine,
          previous_sha: serving?.sha ?? null,
        },
        detail:
          synced.before === synced.sha
            ? `already at ${short(synced.sha)}`
            : `${synced.before === null ? 'nothing' : short(synced.before)} → ${short(synced.sha)}, ${synced.reviews} reviews checked`,
      }
    },
  },
  {
    name: 'hostd_install',
    timeLimitSeconds: 1200,
    run: async (facts, context) => {
      // A rollback never downgrades hostd: older code may not read what the newer one wrote.
      const own = isHqItself(host.paths.root)
      if (own && host.rollbackTo !== null) {
        const version = await requireHostd(host, context.signal)
        return {
          facts: { installed: shownRelease(host) },
          detail: `nothing was installed: a rollback never downgrades hostd; the installed ${version} answers, and lets the token in`,
        }
      }
      if (!own) {
        const version = await requireHostd(host, context.signal)
        return {
          facts: { installed: installRoot() },
          detail: `the installed hostd ${version} answers, and lets the token in`,
        }
      }
      const release = await makeRelease(host, need(facts, 'target_sha'), context)
      const detail = await takeUpRelease(host, release, context)
      for (const gone of pruneReleases(host.paths)) context.log(`removed the old release ${gone}`)
      return { facts: { installed: release }, detail }
    },
  },
  {
    name: 'console_build',
    timeLimitSeconds: 3600,
    run: async (facts, context) => {
      const { paths, settings } = host
      const config = need(facts, 'config')
      const sha = need(facts, 'target_sha')
      const installed = need(facts, 'installed')
      // The console of a rollback is the one of the installed HQ, which is not replaced either.
      const hq = isHqItself(paths.root) && host.rollbackTo === null
      const kept = host.rollbackTo === null ? null : intactGreenBuild(paths, config.project, sha)
      if (kept)
        context.log(
          `the build of ${sha} that was green is intact and taken as it is: ${kept.folder}`,
        )
      const build =
        kept ?? (await engineOf(config.engine).build({ paths, settings, config, sha }, context))
      if (hq) await buildOwnConsole(host, sha, installed, context)
      const target = {
        paths,
        settings,
        config,
        sha,
        console: consoleService(host, installed, hq ? sha : null),
      }
      return {
        facts: { build, target },
        detail: `${kept ? 'the kept build' : `${config.build.length} builds`} of ${short(sha)}, digest ${build.digest.slice(0, 12)}`,
      }
    },
  },
  {
    name: 'docker_compose',
    timeLimitSeconds: 1200,
    run: async (facts, { log, signal }) => {
      const up = await engineOf(need(facts, 'config').engine).up(
        need(facts, 'target'),
        need(facts, 'build'),
        { log, signal },
      )
      const parts = [
        up.changed.length > 0 ? `started ${up.changed.join(', ')}` : null,
        up.unchanged.length > 0 ? `unchanged ${up.unchanged.join(', ')}` : null,
        up.stopped.length > 0 ? `stopped ${up.stopped.join(', ')}` : null,
      ]
      const gap = up.unansweredMs === null ? '' : `; unanswered for ${up.unansweredMs} ms`
      return {
        facts: { up, unanswered_ms: up.unansweredMs },
        detail: `engine ${need(facts, 'config').engine}: ${parts.filter((part) => part !== null).join(', ')}${gap}`,
      }
    },
  },
]

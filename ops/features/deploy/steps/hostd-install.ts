// Step 3: hostd is healthy; when HQ deploys itself, it is the hostd of the target commit.
import type { DeployStep } from '#shared/steps'
import { installRoot } from '#ops/base/process/program'
import type { Step, StepContext } from '#ops/core/pipeline/pipeline'
import { refusePersonsMaintenance } from '#ops/core/host-state/maintenance'
import { pruneReleases, releaseVersion, switchCurrent } from '#ops/core/host-state/releases'
import { shownRelease } from '#ops/features/deploy/release/hq-console'
import { isHqItself, makeRelease, requireHostd } from '#ops/features/deploy/release/make-release'
import { switchHostd } from '#ops/features/deploy/release/switch-hostd'
import { requireFact, type DeployFacts, type DeployHost } from '#ops/features/deploy/state/facts'

export const hostdInstall = (host: DeployHost): Step<DeployFacts, DeployStep> => ({
  name: 'hostd_install',
  timeLimitSeconds: 1200,
  run: async (facts, context) => {
    if (!isHqItself(host.paths.root)) {
      const version = await requireHostd(host, context.signal)
      return {
        facts: { installed: installRoot() },
        detail: `the installed hostd ${version} answers, and accepts the token`,
      }
    }
    // A rollback never downgrades hostd: older code may not read what the newer one wrote.
    if (host.rollbackTo !== null) {
      const version = await requireHostd(host, context.signal)
      return {
        facts: { installed: shownRelease(host) },
        detail:
          'nothing was installed: a rollback never downgrades hostd; ' +
          `the installed ${version} answers, and accepts the token`,
      }
    }
    const release = await makeRelease(host, requireFact(facts, 'target_sha'), context)
    refusePersonsMaintenance(host.paths, {
      what: 'The deploy stopped before it started the new HQ',
      untouched: 'The HQ that was installed still runs, and what serves is untouched.',
    })
    const detail = await startRelease(host, release, context)
    for (const gone of pruneReleases(host.paths)) context.log(`removed the old release ${gone}`)
    return { facts: { installed: release }, detail }
  },
})

/**
 * Where systemd runs hostd, it is started again from the release. Elsewhere HQ must not end what another program
 * started.
 */
async function startRelease(
  host: DeployHost,
  release: string,
  context: StepContext,
): Promise<string> {
  if (host.settings.launcher === 'systemd') return await switchHostd(host, release, context)
  switchCurrent(host.paths, release)
  return (
    `release ${releaseVersion(release)} is proven and current; ` +
    'the hostd that runs keeps its version until its launcher starts it again'
  )
}

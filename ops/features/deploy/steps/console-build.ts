// Step 4: the target is built, and so is the console that shows it. The running version is untouched.
import { shortCommit } from '#shared/ids'
import type { DeployStep } from '#shared/steps'
import type { Step } from '#ops/core/pipeline/pipeline'
import { intactGreenBuild } from '#ops/host/engines/common/green-builds'
import { engineOf } from '#ops/host/engines/registry'
import { consoleService } from '#ops/features/deploy/release/console-service'
import { buildHqConsole } from '#ops/features/deploy/release/hq-console'
import { isHqItself } from '#ops/features/deploy/release/make-release'
import { requireFact, type DeployFacts, type DeployHost } from '#ops/features/deploy/state/facts'

export const consoleBuild = (host: DeployHost): Step<DeployFacts, DeployStep> => ({
  name: 'console_build',
  timeLimitSeconds: 3600,
  run: async (facts, context) => {
    const { paths, settings, rollbackTo } = host
    const config = requireFact(facts, 'config')
    const sha = requireFact(facts, 'target_sha')
    const installed = requireFact(facts, 'installed')
    // The console of a rollback is the one of the installed HQ, which is not replaced either.
    const hq = isHqItself(paths.root) && rollbackTo === null
    const engine = engineOf(config.engine)
    await engine.requirePorts({ paths, settings, config, sha }, context.signal)
    const kept = intactGreenBuild(paths, config.project, sha)
    if (kept)
      context.log(`the build of ${sha} that was green is intact and used as it is: ${kept.folder}`)
    const build = kept ?? (await engine.build({ paths, settings, config, sha }, context))
    if (hq) await buildHqConsole(host, { sha, release: installed }, context)
    const console = consoleService(host, installed, hq ? sha : null)
    const built = kept ? 'the kept build' : `${config.build.length} builds`
    return {
      facts: { build, target: { paths, settings, config, sha, console } },
      detail: `${built} of ${shortCommit(sha)}, digest ${build.digest.slice(0, 12)}`,
    }
  },
})

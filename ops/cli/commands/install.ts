import { Problem, errorRule } from '#shared/errors'
import { installHostd } from '#ops/host/install/install'
import { missingForDeploy } from '#ops/host/install/missing'
import { uninstallHostd } from '#ops/host/install/uninstall'
import { envValue, wholeEnvironment } from '#ops/base/env'
import { hostPaths } from '#ops/base/paths/paths'
import { installRoot } from '#ops/base/process/program'
import { printProblem } from '../output/print-problem.ts'

interface InstallOptions {
  readonly root?: string
  readonly origin?: string
  readonly uninstall?: boolean
}

/**
 * `hq install hostd`: makes this machine a host, or removes the services.
 * @param root the clone that is deployed, instead of `OPENCLAW_ROOT`
 * @param origin the address to clone when there is no clone
 * @returns 0 installed, or nothing to change · 1 failed · 2 refused, nothing was changed
 */
export async function run({ root, origin, uninstall = false }: InstallOptions): Promise<number> {
  const env = wholeEnvironment()
  const paths = hostPaths(root === undefined ? env : { ...env, OPENCLAW_ROOT: root })
  const port = envValue('OPENCLAW_HOSTD_PORT')
  const say = (line: string): void => {
    process.stdout.write(`${line}\n`)
  }
  const note = (line: string): void => {
    process.stderr.write(`${line}\n`)
  }
  try {
    const done = uninstall
      ? await uninstallHostd({ paths, port, say, note })
      : await installHostd({
          paths,
          port,
          source: installRoot(),
          origin: origin ?? null,
          say,
          note,
        })
    const changed = uninstall
      ? `hostd is uninstalled. ${paths.etc}, ${paths.state} and ${paths.artifacts} are unchanged.`
      : `hostd serves 127.0.0.1:${port}.`
    say(done.length === 0 ? 'Nothing to change.' : changed)
    if (!uninstall)
      for (const missing of await missingForDeploy(paths))
        process.stderr.write(`Before the first deploy: ${missing}\n`)
    return 0
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    printProblem(error)
    return errorRule(error.errorClass).blocked ? 2 : 1
  }
}

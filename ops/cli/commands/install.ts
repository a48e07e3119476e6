import { Problem, errorRule } from '#shared/errors'
import { remediations } from '#shared/remediations'
import { installHostd } from '#ops/host/install/install'
import { missingForDeploy } from '#ops/host/install/missing'
import { uninstallHostd } from '#ops/host/install/uninstall'
import { hostdPort, hostPaths } from '#ops/base/paths/paths'
import { installRoot } from '#ops/base/process/program'
import { sayError } from '#ops/base/redact/crash-output'

interface InstallOptions {
  readonly root?: string
  readonly origin?: string
  readonly uninstall?: boolean
}

/**
 * `hq install hostd`: makes this machine a host, or takes the services away again.
 * @param root the clone that is deployed, instead of `OPENCLAW_ROOT`
 * @param origin address of which the clone is made when there is none
 * @returns 0 installed, or nothing to change · 1 failed · 2 refused, nothing was changed
 */
export async function run({ root, origin, uninstall = false }: InstallOptions): Promise<number> {
  const paths = hostPaths(
    root === undefined ? process.env : { ...process.env, OPENCLAW_ROOT: root },
  )
  const port = hostdPort(process.env)
  const say = (did: string): void => {
    process.stdout.write(`${did}\n`)
  }
  try {
    const done = uninstall
      ? await uninstallHostd({ paths, port, say })
      : await installHostd({ paths, port, source: installRoot(), origin: origin ?? null, say })
    say(
      done.length === 0
        ? 'Nothing to change.'
        : uninstall
          ? `hostd is uninstalled. ${paths.etc}, ${paths.state} and ${paths.artifacts} are as they were.`
          : `hostd serves 127.0.0.1:${port}.`,
    )
    if (!uninstall)
      for (const missing of await missingForDeploy(paths))
        process.stderr.write(`Before the first deploy: ${missing}\n`)
    return 0
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    const rule = errorRule(error.errorClass)
    sayError(
      `${error.errorClass}: ${error.message}\n${error.evidence.map((line) => `  ${line}\n`).join('')}Next: ${remediations[rule.next_auto_fix].title}`,
    )
    return rule.blocked ? 2 : 1
  }
}

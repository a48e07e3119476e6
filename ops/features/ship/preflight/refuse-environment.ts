import { envValue, type Environment } from '#ops/base/env'
import { realpathSync } from 'node:fs'
import { hostname } from 'node:os'
import { Problem } from '#shared/errors'
import { configValues } from '#ops/platform/git/config-values'
import { hostPaths } from '#ops/base/paths/paths'

const productionName = 'aiops-1'

const realPathIfThere = (path: string): string => {
  try {
    return realpathSync(path)
  } catch {
    return path // it does not exist, so it is no working tree either
  }
}

/** @throws {Problem} `host_guard_production`: a production host only pulls */
export function refuseProductionHost(
  repo: string,
  env: Environment,
  name: string = hostname(),
): void {
  const refuse = (why: string): never => {
    throw new Problem(
      'host_guard_production',
      `A ship must not start on a production host: ${why}. Nothing was changed.`,
    )
  }
  if (name.toLowerCase().split('.')[0] === productionName) refuse(`this machine is ${name}`)
  const production = envValue('OPENCLAW_PRODUCTION', env)
  if (production !== undefined && production !== '' && production !== '0')
    refuse(`OPENCLAW_PRODUCTION is ${JSON.stringify(production)}`)
  const { root } = hostPaths(env)
  if (realPathIfThere(root) === repo) refuse(`${repo} is the install root of the host`)
}

/** @throws {Problem} `codex_skip_set`, whatever the value */
export function refuseCodexSkip(env: Environment): void {
  const value = env['CODEX_SKIP']
  if (value !== undefined)
    throw new Problem(
      'codex_skip_set',
      `CODEX_SKIP is set (${JSON.stringify(value)}), and its mere presence stops a ship: no review is ever skipped. Nothing was changed.`,
    )
}

/**
 * Hooks run from `.git/hooks` or `.githooks`. Any other core.hooksPath, in any scope or through GIT_CONFIG_*, turns the
 * repository's hooks off.
 * @throws {Problem} `hook_bypass`, naming scope and origin
 */
export async function refuseHookBypass(repo: string, env: Environment): Promise<void> {
  const values = await configValues(repo, 'core.hooksPath', env)
  const bad = values.filter(({ value }) => value.replace(/\/+$/, '') !== '.githooks')
  if (bad.length === 0) return
  const evidence = bad.map(
    ({ scope, origin, value }) => `core.hooksPath=${value} (${scope}, ${origin})`,
  )
  throw new Problem(
    'hook_bypass',
    `Git hooks are redirected by ${evidence.join('; ')}. Nothing was changed.`,
    { evidence },
  )
}

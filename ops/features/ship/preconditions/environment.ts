// The machine and the environment that a ship may start in.
import { realpathSync } from 'node:fs'
import { hostname } from 'node:os'
import { envValue, type Environment } from '#ops/base/env'
import { configValues } from '#ops/platform/git/config-values'
import { hostPaths } from '#ops/base/paths/paths'
import { defaultHooksFolder, runsHooks } from '#ops/features/ship/hook/hook-folders'
import type { Unmet } from './unmet.ts'

const productionName = 'aiops-1'

export interface Machine {
  readonly repo: string
  readonly env: Environment
  /** Name of this machine; default: what the system says. */
  readonly hostName?: string
}

/** A production host only pulls. */
export function checkProductionHost({ repo, env, hostName = hostname() }: Machine): Unmet | null {
  const why = productionSign({ repo, env, hostName })
  return why === null
    ? null
    : {
        errorClass: 'host_guard_production',
        sentence: `A ship must not start on a production host: ${why}.`,
      }
}

function productionSign({ repo, env, hostName }: Required<Machine>): string | null {
  if (hostName.toLowerCase().split('.')[0] === productionName) return `this machine is ${hostName}`
  const production = envValue('OPENCLAW_PRODUCTION', env)
  if (production !== undefined && production !== '' && production !== '0')
    return `OPENCLAW_PRODUCTION is ${JSON.stringify(production)}`
  const { root } = hostPaths(env)
  return realPathIfThere(root) === repo ? `${repo} is the install root of the host` : null
}

const realPathIfThere = (path: string): string => {
  try {
    return realpathSync(path)
  } catch {
    return path // it does not exist, so it is not a working tree either
  }
}

/** CODEX_SKIP stops a ship whatever its value. */
export function checkCodexSkip({ env }: Pick<Machine, 'env'>): Unmet | null {
  const value = env['CODEX_SKIP']
  if (value === undefined) return null
  return {
    errorClass: 'codex_skip_set',
    sentence:
      `CODEX_SKIP is set (${JSON.stringify(value)}). ` +
      'No ship starts while it is set, because no review may be skipped.',
  }
}

/**
 * Hooks run from git's own folder, from `.githooks`, or from the folder of a hook manager inside the repository. Any
 * other core.hooksPath, in any scope or through GIT_CONFIG_*, turns the repository's hooks off.
 */
export async function checkHooks({ repo, env }: Machine): Promise<Unmet | null> {
  const values = await configValues(repo, 'core.hooksPath', env)
  const folders = values.length === 0 ? [] : [await defaultHooksFolder(repo)]
  const bad = values.filter(({ value }) => !runsHooks(repo, value, folders))
  if (bad.length === 0) return null
  const evidence = bad.map(
    ({ scope, origin, value }) => `core.hooksPath=${value} (${scope}, ${origin})`,
  )
  return {
    errorClass: 'hook_bypass',
    sentence: `Git hooks are redirected by ${evidence.join('; ')}.`,
    evidence,
  }
}

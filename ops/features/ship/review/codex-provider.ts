// Which provider reviews, and what the Codex CLI is given to reach it.
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { OperatorSettings } from '#shared/config'
import { Problem } from '#shared/errors'
import type { Environment } from '#ops/base/env'
import { noReview } from './no-review.ts'

export type ReviewProvider = OperatorSettings['review']['providers'][number]
/** @throws {Problem} `review_provider_refused` unless the chosen provider stands in the operator's settings */
export function chosenProvider({ review }: OperatorSettings): ReviewProvider {
  const found = review.providers.filter(({ id }) => id === review.provider)
  const [provider] = found
  if (provider && found.length === 1) return provider
  const why = found.length === 0 ? 'not among the accepted ones' : 'listed more than once'
  throw new Problem(
    'review_provider_refused',
    `The review provider ${review.provider} is ${why} in the operator settings. ` +
      'No review was requested and nothing was pushed.',
  )
}

/** Codex's own folder of the operator, where its sign-in lies. */
const codexHome = (env: Environment): string =>
  env['CODEX_HOME'] ?? join(env['HOME'] ?? homedir(), '.codex')

/**
 * The environment that Codex requires to reach `provider`. Nothing else of the operator's environment is passed on. A
 * scripted provider without a key requires none, and never receives the operator's sign-in.
 *
 * @param temporaryHome an empty folder: with a key Codex does not use the operator's own folder
 * @throws {Problem} `review_unavailable` when there is no key or sign-in; then nothing was requested
 */
export function credentialEnv(
  provider: ReviewProvider,
  env: Environment,
  temporaryHome: string,
): Record<string, string> {
  if (provider.env_key !== null) {
    const key = env[provider.env_key]
    if (key === undefined || key === '')
      throw noReview(
        `${provider.label} has no credentials here: ${provider.env_key} is not set in the environment of HQ`,
      )
    return { CODEX_HOME: temporaryHome, [provider.env_key]: key }
  }
  if (provider.scripted) return { CODEX_HOME: temporaryHome }
  const home = codexHome(env)
  if (!existsSync(join(home, 'auth.json')))
    throw noReview('the Codex CLI has no credentials on this laptop')
  return { CODEX_HOME: home }
}

/** How long a provider may take to accept a connection, in milliseconds. */
const connectLimitMs = 15_000
const builtIn = 'openai'
const builtInBaseUrl = 'https://api.openai.com/v1'
/** Name of the provider inside the CLI: the CLI reserves its own names, and ours may hold any character. */
const nameInCli = 'openclaw_review'
const toml = (value: string): string => JSON.stringify(value)

/**
 * Arguments that bind the CLI to exactly this provider and base URL. The operator's config file and OPENAI_BASE_URL do
 * not reach the CLI. OpenAI with Codex's sign-in gets no address: a ChatGPT sign-in uses another one than a key.
 */
export function providerArguments({
  id,
  label,
  base_url,
  env_key,
  scripted,
}: ReviewProvider): string[] {
  if (id === builtIn && env_key === null && !scripted) {
    return [
      '-c',
      `model_provider=${toml(builtIn)}`,
      ...(base_url === builtInBaseUrl ? [] : ['-c', `openai_base_url=${toml(base_url)}`]),
    ]
  }
  const credential =
    env_key !== null ? `env_key=${toml(env_key)}` : `requires_openai_auth=${String(!scripted)}`
  return [
    '-c',
    `model_provider=${toml(nameInCli)}`,
    '-c',
    `model_providers.${nameInCli}={name=${toml(label)},base_url=${toml(base_url)},${credential},` +
      'wire_api="responses",request_max_retries=2,stream_max_retries=2}',
  ]
}

/**
 * Tries to connect to the provider first: Codex repeats its requests to a dead address without end. OpenAI with Codex's
 * sign-in is not tried, because the sign-in decides which address is used.
 *
 * @throws {Problem} `review_unavailable`
 */
export async function refuseUnreachable(
  { id, label, base_url, env_key }: ReviewProvider,
  signal: AbortSignal,
): Promise<void> {
  if (id === builtIn && env_key === null) return
  const { hostname, port, protocol } = new URL(base_url)
  const defaultPort = protocol === 'http:' ? 80 : 443
  const socket = connect({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? defaultPort : Number(port),
  })
  try {
    await once(socket, 'connect', {
      signal: AbortSignal.any([signal, AbortSignal.timeout(connectLimitMs)]),
    })
  } catch (error) {
    signal.throwIfAborted()
    throw noReview(`${label} does not answer at ${base_url}`, { cause: error })
  } finally {
    socket.destroy()
  }
}

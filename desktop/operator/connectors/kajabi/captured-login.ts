import type { BrowserContext } from 'playwright-core'
import type { KajabiSettings } from '#shared/connectors/kajabi'
import { Problem } from '#shared/errors'
import { isHostOf } from '#shared/net/hostnames'
import { maxSecretBytes } from '#shared/connectors'
import { isSentTo, kajabiLogin, secretIssues } from '#ops/features/connectors/index'
import { knowSecrets } from '#ops/base/redact/redaction'

/** What Playwright takes from a browser. */
export type StorageState = Awaited<ReturnType<BrowserContext['storageState']>>

type HostSettings = Pick<KajabiSettings, 'hosts' | 'base_url' | 'check_path'>

/** The part of `state` that belongs to Kajabi: cookies and localStorage of the configured hosts. */
export const keepOurs = (state: StorageState, { hosts }: HostSettings): StorageState => ({
  cookies: state.cookies.filter(({ domain }) => isHostOf(domain.replace(/^\./, ''), hosts)),
  origins: state.origins
    .filter(({ origin }) => URL.canParse(origin) && isHostOf(new URL(origin).hostname, hosts))
    .map(({ origin, localStorage }) => ({ origin, localStorage })),
})

/** Does the host get a cookie from it that the page for signed-in users receives? */
export function hasUsableCookie(
  { cookies }: StorageState,
  { base_url, check_path }: HostSettings,
): boolean {
  const page = new URL(check_path, base_url)
  return cookies.some((cookie) => isSentTo(cookie, page, Date.now() / 1000))
}

/**
 * The login as the host stores it. From now on its values are redacted everywhere.
 * @throws {Problem} `connector_secret_invalid` when it is too large, or has a form that the host refuses
 */
export function loginBytes(kept: StorageState, { hosts }: HostSettings): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(JSON.stringify(kept))
  if (bytes.length > maxSecretBytes)
    throw invalid(
      `has ${Math.ceil(bytes.length / 1024)} KiB, and a host takes at most ${maxSecretBytes / 1024} KiB`,
    )
  const { schema, secrets } = kajabiLogin(hosts)
  const parsed = schema.safeParse(JSON.parse(new TextDecoder().decode(bytes)))
  if (!parsed.success) throw invalid(`is not valid at ${secretIssues(parsed.error)}`)
  knowSecrets(secrets(parsed.data))
  return bytes
}

const invalid = (what: string): Problem =>
  new Problem(
    'connector_secret_invalid',
    `The captured sign-in ${what}. Nothing was sent; the secret on the host is unchanged.`,
  )

import { isLoopbackHostname } from '#shared/net/hostnames'
import { Problem } from '#shared/errors'

/**
 * Checks the address of a host. The admin token travels to it, so it must be TLS; plain HTTP is accepted for loopback
 * only.
 * @returns its origin, for example `https://aiops-1.tail1234.ts.net`
 * @throws {Problem} `invalid_request`, naming the field
 */
export function hostOrigin(text: string): string {
  let url: URL
  try {
    url = new URL(text)
  } catch (error) {
    throw new Problem(
      'invalid_request',
      `url: not an address: ${JSON.stringify(text)}. The settings are unchanged.`,
      { cause: error },
    )
  }
  const refuse = (why: string): never => {
    throw new Problem('invalid_request', `url: ${why}. The settings are unchanged.`)
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') refuse('must start with https://')
  if (url.protocol === 'http:' && !isLoopbackHostname(url.hostname))
    refuse('plain http is accepted for this machine only; use the https address of the host')
  if (url.username !== '' || url.password !== '') refuse('must not hold a user name or password')
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
    refuse('must be the address alone, without a path')
  return url.origin
}

/** Which addresses a host may have. The form says it while it is typed; HQ checks it again before it is used. */
import { isLoopbackHostname } from './hostnames.ts'

/**
 * The admin token travels to it, so it must be TLS; plain HTTP is accepted for loopback only.
 * @param text as a person typed it
 * @param options `tls: false`: plain http is accepted, because the settings say that the tailnet encrypts the way
 * @returns why it is not accepted, in one sentence; null when it is
 */
export function hostAddressProblem(
  text: string,
  { tls }: { readonly tls?: false | undefined } = {},
): string | null {
  if (!URL.canParse(text))
    return 'This is not an address; it looks like https://aiops-1.example.ts.net'
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'It must start with https://'
  if (url.protocol === 'http:' && tls !== false && !isLoopbackHostname(url.hostname))
    return 'Plain http is accepted for this machine only: use the https address of the host'
  if (url.username !== '' || url.password !== '') return 'It must not hold a user name or password'
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
    return 'It must be the address alone, without a path'
  return null
}

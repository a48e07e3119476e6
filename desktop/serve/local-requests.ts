import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { Problem } from '#shared/errors'

export const secretHeader = 'x-openclaw-hq-secret'

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
/** Every value of a header, also when it was sent twice: Node joins or drops doubles. */
const valuesOf = ({ rawHeaders }: IncomingMessage, name: string): string[] =>
  rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name)

/**
 * Is this request from the page that this server served? A page of another site can reach loopback, and a name can be
 * made to point at it; so the Host must be ours, and an Origin, when there is one, too.
 * @throws {Problem} `invalid_request`, `host_refused` or `origin_refused`; nothing of the request was read
 */
export function refuseForeign(request: IncomingMessage, port: number): void {
  if (!request.url?.startsWith('/'))
    throw new Problem('invalid_request', 'The request names no path of HQ.')
  const names = [`127.0.0.1:${port}`, `localhost:${port}`]
  const [host = '', ...more] = valuesOf(request, 'host')
  if (more.length > 0 || !names.includes(host.toLowerCase()))
    throw new Problem(
      'host_refused',
      `HQ does not answer for the name ${JSON.stringify(host.slice(0, 100))}.`,
    )
  const own = `http://${host.toLowerCase()}`
  for (const origin of valuesOf(request, 'origin'))
    if (origin !== own)
      throw new Problem(
        'origin_refused',
        'HQ answers its own page only; this request came from another site.',
      )
  for (const site of valuesOf(request, 'sec-fetch-site'))
    if (site !== 'same-origin' && site !== 'none')
      throw new Problem(
        'origin_refused',
        'HQ answers its own page only; this request came from another site.',
      )
}

/** @param secret the secret of this start, hex @throws {Problem} `forbidden` unless the header holds it, once */
export function requireSecret(request: IncomingMessage, secret: string): void {
  const given = valuesOf(request, secretHeader)
  const [value = ''] = given
  // Equal lengths by digest, so that the comparison tells nothing about the secret.
  if (given.length !== 1 || !timingSafeEqual(digest(value), digest(secret)))
    throw new Problem(
      'forbidden',
      'The secret of this start of HQ is missing or wrong. Open the address that HQ printed.',
    )
}

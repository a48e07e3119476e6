// The client file of Google, and the addresses that it is used with.
import type { z } from 'zod'
import { clientFileProblem } from '#shared/connectors/gmail'
import { Problem } from '#shared/errors'
import { isLoopbackHostname } from '#shared/net/hostnames'
import { knowSecrets } from '#ops/base/redact/redaction'
import { gmailClient } from '#ops/features/connectors/index'

export type InstalledClient = z.output<typeof gmailClient.schema>['installed']

/** Where the sign-in happens. */
export interface GoogleAddresses {
  readonly issuer: string
  readonly authorization: string
  readonly token: string
  readonly device: string
  /** Origin of the API of Gmail. */
  readonly api: string
}

const google: GoogleAddresses = {
  issuer: 'https://accounts.google.com',
  authorization: 'https://accounts.google.com/o/oauth2/v2/auth',
  token: 'https://oauth2.googleapis.com/token',
  device: 'https://oauth2.googleapis.com/device/code',
  api: 'https://gmail.googleapis.com',
}
/** Hosts that client files of Google have named over the years. */
const googleHosts = new Set(['accounts.google.com', 'oauth2.googleapis.com', 'www.googleapis.com'])

const howTo =
  'In the console of Google, under Clients, create an OAuth client of the type "Desktop app", ' +
  'and choose the file that it offers for download.'
const untouched = 'No request was sent, and the secret on the host is unchanged.'
const unusable = (why: string): Problem =>
  new Problem('connector_secret_invalid', `${why} ${howTo} ${untouched}`)

/**
 * Reads a client file. No message repeats its content.
 * @param text the file; undefined: none was chosen, and none is kept
 * @throws {Problem} `connector_secret_invalid` when there is none, it is of another type of client, or it names
 *   addresses that are not Google's
 */
export function readClientFile(text: string | undefined): InstalledClient {
  if (text === undefined || text.trim() === '') throw unusable('HQ has no client file yet.')
  const problem = clientFileProblem(text)
  if (problem !== null) throw unusable(problem)
  const parsed = gmailClient.schema.safeParse(JSON.parse(text))
  if (!parsed.success)
    throw unusable('The client file is not as Google offers it for a client of a desktop app.')
  const { installed } = parsed.data
  knowSecrets([installed.client_secret])
  return installed
}

/**
 * The addresses for a client. A file that names hosts of Google gets the present addresses of Google. A file that
 * names this machine itself gets what it names: a stand-in of Google, whose other addresses are beside its token
 * endpoint. Any other address would receive the code and the secret of the client.
 * @throws {Problem} `connector_secret_invalid`
 */
export function addressesOf({ auth_uri, token_uri }: InstalledClient): GoogleAddresses {
  const named = [auth_uri, token_uri].filter((each) => each !== undefined)
  if (named.every(isOfGoogle)) return google
  if (auth_uri === undefined || token_uri === undefined || !named.every(isOfThisMachine))
    throw unusable('The client file names addresses that are not of Google.')
  const { origin } = new URL(token_uri)
  return {
    issuer: new URL(auth_uri).origin,
    authorization: auth_uri,
    token: token_uri,
    device: new URL('/device/code', origin).href,
    api: origin,
  }
}

function isOfGoogle(address: string): boolean {
  const { protocol, hostname, port } = new URL(address)
  return protocol === 'https:' && port === '' && googleHosts.has(hostname)
}

function isOfThisMachine(address: string): boolean {
  const { protocol, hostname } = new URL(address)
  return (protocol === 'http:' || protocol === 'https:') && isLoopbackHostname(hostname)
}

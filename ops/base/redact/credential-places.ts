import { connectorSecretNames } from '#shared/connectors/list'
import type { Range } from './literal-matcher.ts'

/**
 * Ends a value: white space, controls (a colour begins with one), quotes, what separates fields. The marker begins
 * with `[`, which no value here does.
 */
const value = '[^\\s\\x00-\\x1f"\'`<>,;&\\\\\\[\\]{}()]{6,}'

/** Where a name begins: at a word, also right behind a colour, whose last character is a letter. */
const begins = '(?:\\b|(?<=\\x1b\\[[\\d;]{0,20}m))'

/** Places where a credential stands whatever its format: headers and parameters by name, the password of an address. */
const places = [
  new RegExp(
    `${begins}(?:proxy-)?authorization\\\\?["']?\\s*[:=]\\s*\\\\?["']?(?:(?:bearer|basic|token|negotiate)\\s+)?(?!(?:bearer|basic|token|negotiate)\\b)(?<secret>${value})`,
    'dgi',
  ),
  new RegExp(`${begins}bearer\\s+(?<secret>[A-Za-z0-9._~+/-]{16,}=*)`, 'dgi'),
  new RegExp(
    `${begins}x-(?:openclaw-admin-token|api-key|auth-token)\\\\?["']?\\s*[:=]\\s*\\\\?["']?(?<secret>${value})`,
    'dgi',
  ),
  new RegExp(
    `${begins}(?:set-)?cookie\\\\?["']?\\s*:\\s*\\\\?["']?(?!\\[redacted\\])(?<secret>[^\\s\\x00-\\x1f"'\\\\=;]{1,200}=[^\\x00-\\x1f"'\\\\]{3,})`,
    'dgi',
  ),
  new RegExp(`${begins}_(?:authToken|auth|password)\\s*=\\s*\\\\?["']?(?<secret>${value})`, 'dgi'),
  new RegExp(
    `[?&;](?:access_token|refresh_token|id_token|token|api_?key|client_secret|password|passwd|secret|code_verifier|sig|signature)=(?<secret>${value})`,
    'dgi',
  ),
  new RegExp(
    `\\\\?["'](?:access_token|refresh_token|id_token|api_?key|client_secret|private_key|password|passwd|app_password|device_code)\\\\?["']\\s*:\\s*\\\\?["'](?<secret>[^"'\\\\[\\]]{4,})`,
    'dgi',
  ),
  /:\/\/[^\s/:@"'[\]]{0,100}:(?<secret>[^\s/@"'[\]]{3,200})@/dg,
]

/** Where `text` holds a credential by the name of its place. */
export function findPlaces(text: string): Range[] {
  return places.flatMap((place) =>
    [...text.matchAll(place)].flatMap((match) => {
      const [start, end] = match.indices?.groups?.['secret'] ?? [0, 0]
      return end > start ? [{ start, end }] : []
    }),
  )
}

const secretNames = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'x-openclaw-admin-token',
  'x-api-key',
  'x-auth-token',
  'access_token',
  'refresh_token',
  'id_token',
  'api_key',
  'apikey',
  'client_secret',
  'private_key',
  'password',
  'passwd',
  'app_password',
  'device_code',
  'code_verifier',
  ...connectorSecretNames,
])

/** Does a field of this name hold a secret, whatever its format? */
export const isSecretName = (name: string): boolean => secretNames.has(name.toLowerCase())

import { Problem } from '#shared/errors'
import { knowSecrets } from '#ops/base/redact/redaction'
import { gmailImap, imapLogin, type ImapServer } from '#ops/features/connectors/index'
import type { Attempt } from '../common/attempt.ts'
import { settingsOfHost } from '../common/host-settings.ts'
import type { Secret, WayOptions } from '../common/way.ts'
import { requestMs } from './accept-token.ts'

/**
 * Takes address and app password from the form, and proves them by one login from this laptop.
 * @param server null: it cannot be verified from here
 * @throws {Problem} `connector_secret_invalid` for the form; the classes of `imapLogin`
 */
export async function obtainAppPassword(
  attempt: Attempt,
  { fields }: WayOptions,
  server: ImapServer | null,
): Promise<readonly Secret[]> {
  const secret = await attempt.step('form', async () => ({
    detail: null,
    value: readForm(fields['user'] ?? '', fields['password'] ?? ''),
  }))
  const { GMAIL_USER: user, GMAIL_APP_PASSWORD: password } = secret
  await attempt.step('check', async () => {
    if (server === null)
      return { detail: 'left to the host, which alone can verify the server', value: undefined }
    await imapLogin(server, { user, password, signal: attempt.signal, limitMs: requestMs })
    return { detail: `${server.host} accepted the login`, value: undefined }
  })
  return [{ kind: 'imap', bytes: new TextEncoder().encode(JSON.stringify(secret)) }]
}

/**
 * The same at the server of the host's settings. A server that the host trusts by a file of its own cannot be verified
 * from here: then the host alone proves the password.
 * @throws {Problem} as above, and as `settingsOfHost`
 */
export async function connectByAppPassword(
  attempt: Attempt,
  options: WayOptions,
): Promise<readonly Secret[]> {
  const { imap_host, imap_port, imap_ca_file } = await settingsOfHost(
    'gmail',
    options.client,
    attempt.signal,
  )
  const server = { host: imap_host, port: imap_port, ca: null }
  return await obtainAppPassword(attempt, options, imap_ca_file === null ? server : null)
}

const unsent = 'No request was sent, and the secret on the host is unchanged.'

/** Google shows an app password as four groups of four letters; the spaces are not part of it. */
function readForm(user: string, typed: string): { GMAIL_USER: string; GMAIL_APP_PASSWORD: string } {
  const password = typed.replace(/\s+/g, '')
  knowSecrets([typed, password])
  if (!/^[a-z]{16}$/i.test(password))
    throw new Problem(
      'connector_secret_invalid',
      `An app password of Google has 16 letters; this one has ${lengthOf(password)}. ${unsent}`,
    )
  const parsed = gmailImap.schema.safeParse({
    GMAIL_USER: user.trim(),
    GMAIL_APP_PASSWORD: password,
  })
  if (!parsed.success || !parsed.data.GMAIL_USER.includes('@'))
    throw new Problem('connector_secret_invalid', `The address is not that of a mailbox. ${unsent}`)
  knowSecrets(gmailImap.secrets(parsed.data))
  return parsed.data
}

const lengthOf = (password: string): string =>
  /^[a-z]*$/i.test(password) ? String(password.length) : 'other characters too'

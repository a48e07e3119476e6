import { z } from 'zod'
import { timestamp } from '#shared/ids'
import type { SecretKind } from '../common/read-secret.ts'

/** The files, below `$OPENCLAW_ETC/secrets/`. */
export const clientFile = 'soma_kajabi/gmail_client.json'
export const tokenFile = 'soma_kajabi/gmail_oauth.json'
export const imapFile = 'soma_kajabi/gmail_imap.json'

const badCharacters = 'has characters that it must not have'

/** Printable characters only, so that the text cannot end a header or a line of a protocol. */
const visible = (maxLength: number) =>
  z
    .string()
    .min(1)
    .max(maxLength)
    .regex(/^[\x21-\x7e]+$/, badCharacters)

/** The file that Google offers for a "Desktop app" or "TV and limited input" client, unchanged. */
export const gmailClient = {
  schema: z.strictObject({
    installed: z.strictObject({
      client_id: visible(400),
      client_secret: visible(400),
      project_id: z.string().optional(),
      auth_uri: z.url().optional(),
      token_uri: z.url().optional(),
      auth_provider_x509_cert_url: z.url().optional(),
      redirect_uris: z.array(z.string()).optional(),
    }),
  }),
  secrets: ({ installed: { client_secret } }) => [client_secret],
} satisfies SecretKind<z.ZodType<{ installed: { client_secret: string } }>>

/** The result of signing in: the refresh token, the client that it was given to, and its scopes. */
export const gmailToken = {
  schema: z.strictObject({
    schema_version: z.literal(1),
    client_id: visible(400),
    refresh_token: visible(2048),
    scopes: z.array(visible(200)).min(1).max(50),
    issued_at: timestamp,
    /** Google lets the token of an app in testing expire after seven days, and says so when it gives the token. */
    expires_at: timestamp.optional(),
  }),
  secrets: ({ refresh_token }) => [refresh_token],
} satisfies SecretKind<z.ZodType<{ refresh_token: string }>>

/** Google shows an app password in four groups; the spaces are not part of it. */
const withoutGroups = (password: string): string =>
  /^[a-z]{4}(?: [a-z]{4}){3}$/.test(password) ? password.replaceAll(' ', '') : password

/** User and app password for IMAP. */
export const gmailImap = {
  schema: z.strictObject({
    GMAIL_USER: visible(320),
    GMAIL_APP_PASSWORD: z
      .string()
      .min(8)
      .max(200)
      .regex(/^[\x20-\x7e]+$/, badCharacters)
      .transform(withoutGroups),
  }),
  secrets: ({ GMAIL_APP_PASSWORD }) => [
    GMAIL_APP_PASSWORD,
    ...(GMAIL_APP_PASSWORD.length === 16
      ? [GMAIL_APP_PASSWORD.replace(/(.{4})(?=.)/g, '$1 ')]
      : []),
  ],
} satisfies SecretKind<z.ZodType<{ GMAIL_APP_PASSWORD: string }>>

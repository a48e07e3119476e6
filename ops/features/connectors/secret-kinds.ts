import { z } from 'zod'
import { timestamp } from '#shared/ids'
import { isHostOf } from '#shared/config/connectors'
import type { SecretKind } from './secret-files.ts'

/** A longer text of a login is a cache of the page, not a credential, in characters. */
const longestSecret = 8192
const known = (texts: readonly string[]): string[] =>
  texts.filter((text) => text.length <= longestSecret)

/** Printable, so that it cannot end a header or a line of a protocol. */
const visible = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[\x21-\x7e]+$/, 'has characters that it must not have')

/** RFC 6265 4.1.1: what a cookie may be made of, so that none can add a second one. */
const cookie = z.strictObject({
  name: z
    .string()
    .max(256)
    .regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, 'is no name of a cookie'),
  value: z
    .string()
    .max(longestSecret)
    .regex(/^"?[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*"?$/, 'is no value of a cookie'),
  /** With a leading dot: also of the hosts below it. */
  domain: z.string().regex(/^\.?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/, 'is no domain'),
  path: z.string().regex(/^\//, 'is no path'),
  /** Unix time in seconds; -1 for one that ends with the browser. */
  expires: z.number(),
  httpOnly: z.boolean(),
  secure: z.boolean(),
  sameSite: z.enum(['Strict', 'Lax', 'None']),
  /** Chromium's own, for cookies of an embedded page. */
  partitionKey: z.string().optional(),
  _crHasCrossSiteAncestor: z.boolean().optional(),
})
export type Cookie = z.infer<typeof cookie>

const hostOfOrigin = (origin: string): string =>
  URL.canParse(origin) ? new URL(origin).hostname : ''

/** Playwright's storage state, of the configured hosts only: a cookie of anybody else has no business on this host. */
export const kajabiLogin = (hosts: readonly string[]) =>
  ({
    schema: z.strictObject({
      cookies: z
        .array(
          cookie.refine(
            ({ domain }) => isHostOf(domain.replace(/^\./, ''), hosts),
            'is of a host that kajabi.hosts does not name',
          ),
        )
        .min(1)
        .max(300),
      origins: z
        .array(
          z.strictObject({
            origin: z
              .string()
              .refine(
                (origin) => isHostOf(hostOfOrigin(origin), hosts),
                'is of a host that kajabi.hosts does not name',
              ),
            localStorage: z
              .array(z.strictObject({ name: z.string(), value: z.string() }))
              .max(1000),
          }),
        )
        .max(100),
    }),
    secrets: ({ cookies, origins }) =>
      known(
        [...cookies, ...origins.flatMap(({ localStorage }) => localStorage)].map(
          ({ value }) => value,
        ),
      ),
  }) satisfies SecretKind<
    z.ZodType<{ cookies: Cookie[]; origins: { localStorage: { value: string }[] }[] }>
  >

/** The file that Google gives out for a "Desktop app" or "TV and limited input" client, as it is. */
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

/** What signing in left: the refresh token, to whom it was given, and what for. */
export const gmailToken = {
  schema: z.strictObject({
    schema_version: z.literal(1),
    client_id: visible(400),
    refresh_token: visible(2048),
    scopes: z.array(visible(200)).min(1).max(50),
    issued_at: timestamp,
  }),
  secrets: ({ refresh_token }) => [refresh_token],
} satisfies SecretKind<z.ZodType<{ refresh_token: string }>>

/** Google shows an app password in four groups; the spaces are not part of it. */
const withoutGroups = (password: string): string =>
  /^[a-z]{4}(?: [a-z]{4}){3}$/.test(password) ? password.replaceAll(' ', '') : password

export const gmailImap = {
  schema: z.strictObject({
    GMAIL_USER: visible(320),
    GMAIL_APP_PASSWORD: z
      .string()
      .min(8)
      .max(200)
      .regex(/^[\x20-\x7e]+$/, 'has characters that it must not have')
      .transform(withoutGroups),
  }),
  secrets: ({ GMAIL_APP_PASSWORD }) => [
    GMAIL_APP_PASSWORD,
    ...(GMAIL_APP_PASSWORD.length === 16
      ? [GMAIL_APP_PASSWORD.replace(/(.{4})(?=.)/g, '$1 ')]
      : []),
  ],
} satisfies SecretKind<z.ZodType<{ GMAIL_APP_PASSWORD: string }>>

import { z } from 'zod'
import { isHostOf } from '#shared/net/hostnames'
import type { SecretKind } from '../common/read-secret.ts'

/** In characters. A longer text in a login is cached content of the page, not a credential. */
const longestSecret = 8192
const known = (texts: readonly string[]): string[] =>
  texts.filter((text) => text.length <= longestSecret)

/** The characters that RFC 6265 4.1.1 allows, so that a cookie cannot add a second one. */
const cookie = z.strictObject({
  name: z
    .string()
    .max(256)
    .regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, 'is not a cookie name'),
  value: z
    .string()
    .max(longestSecret)
    .regex(/^"?[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*"?$/, 'is not a cookie value'),
  /** With a leading dot: also for the hosts below it. */
  domain: z.string().regex(/^\.?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/, 'is not a domain'),
  path: z.string().regex(/^\//, 'is not a path'),
  /** Unix time in seconds; -1 for a cookie that ends with the browser. */
  expires: z.number(),
  httpOnly: z.boolean(),
  secure: z.boolean(),
  sameSite: z.enum(['Strict', 'Lax', 'None']),
  /** Chromium adds it to cookies of an embedded page. */
  partitionKey: z.string().optional(),
  _crHasCrossSiteAncestor: z.boolean().optional(),
})
export type Cookie = z.infer<typeof cookie>

const notOurs = 'is of a host that kajabi.hosts does not name'
const hostOfOrigin = (origin: string): string =>
  URL.canParse(origin) ? new URL(origin).hostname : ''

/** Playwright's storage state. A cookie of a host that is not configured does not belong on this host. */
export const kajabiLogin = (hosts: readonly string[]) =>
  ({
    schema: z.strictObject({
      cookies: z
        .array(cookie.refine(({ domain }) => isHostOf(domain.replace(/^\./, ''), hosts), notOurs))
        .min(1)
        .max(300),
      origins: z
        .array(
          z.strictObject({
            origin: z.string().refine((origin) => isHostOf(hostOfOrigin(origin), hosts), notOurs),
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

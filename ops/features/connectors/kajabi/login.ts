import { z } from 'zod'
import { isHostOf } from '#shared/net/hostnames'
import type { SecretKind } from '../common/read-secret.ts'

/** In characters. A longer text in a login is cached content of the page, not a credential. */
const longestSecret = 8192
const known = (texts: readonly string[]): string[] =>
  texts.filter((text) => text.length <= longestSecret)

/**
 * What browsers keep and send (RFC 6265 5.2), which is more than servers should set: commas, spaces and JSON. A control
 * character or a semicolon would add a header or a second cookie.
 */
const cookie = z.looseObject({
  name: z
    .string()
    .max(256)
    // eslint-disable-next-line no-control-regex -- they are what is refused
    .regex(/^[^\x00-\x1f\x7f;=]*$/, 'is not a cookie name'),
  value: z
    .string()
    .max(longestSecret)
    // eslint-disable-next-line no-control-regex -- they are what is refused
    .regex(/^[^\x00-\x1f\x7f;]*$/, 'is not a cookie value'),
  /** With a leading dot: also for the hosts below it. */
  domain: z.string().regex(/^\.?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/, 'is not a domain'),
  path: z.string().regex(/^\//, 'is not a path'),
  /** Unix time in seconds; -1 for a cookie that ends with the browser. */
  expires: z.number(),
  httpOnly: z.boolean(),
  secure: z.boolean(),
})
export type Cookie = z.infer<typeof cookie>

/** Can it stand in a header as it is? A browser sends other characters in an encoding of its own. */
export const isSendable = ({ name, value }: Cookie): boolean =>
  name !== '' && /^[\x20-\x7e]*$/.test(name + value)

/** Every text within a value: whatever is kept of a page may be a credential. */
const textsIn = (value: unknown): string[] => {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}

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
          // What is kept of a page besides, such as its indexedDB, is not sent.
          z.looseObject({
            origin: z.string().refine((origin) => isHostOf(hostOfOrigin(origin), hosts), notOurs),
            localStorage: z.array(z.looseObject({ name: z.string(), value: z.string() })).max(1000),
          }),
        )
        .max(100),
    }),
    secrets: ({ cookies, origins }) =>
      known([...cookies.map(({ value }) => value), ...textsIn(origins)]),
  }) satisfies SecretKind<z.ZodType<{ cookies: Cookie[]; origins: object[] }>>

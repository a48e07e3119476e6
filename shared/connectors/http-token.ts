import { z } from 'zod'
import type { ConnectorRow } from './row.ts'
import { peerUrl, timeoutSeconds } from './settings-fields.ts'
import type { ConnectField } from './ways.ts'

const modes = ['header'] as const

/** Fields that say how a request is framed or routed, or carry another secret. */
const reservedHeaders = new Set([
  'connection',
  'content-length',
  'cookie',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** The name of a header (RFC 9110 5.1) that a token may be sent in. */
const headerName = z
  .string()
  .max(100)
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'must be the name of a header')
  .refine((name) => !reservedHeaders.has(name.toLowerCase()), 'must be a header of the service')

const title = z
  .string()
  .max(60)
  .regex(/^[^\p{C}]*$/u, 'must be one line')
  .nullable()
const scheme = z
  .string()
  .max(40)
  .regex(/^[\x21-\x7e]*$/, 'must be one word')

/** A status that says that the token was accepted; 401, 403 and 429 say the opposite or nothing. */
const status = z
  .number()
  .int()
  .min(200)
  .max(499)
  .refine((code) => ![401, 403, 429].includes(code), 'must not be 401, 403 or 429')
const statuses = z.array(status).min(1, 'must name a status').max(10)

/** `http_token` of host.json: a service that takes a token in a header. */
const settings = z.strictObject({
  mode: z.literal(modes).default('header').describe('How the token is sent: in a header.'),
  url: peerUrl
    .nullable()
    .default(null)
    .describe('Address that a check requests with the token; null: this host does without it.'),
  title: title.default(null).describe('What the token is for, for people.'),
  header: headerName.default('Authorization').describe('Header that carries the token.'),
  scheme: scheme.default('Bearer').describe('Word before the token in the header; empty: none.'),
  expected_status: statuses
    .default([200])
    .describe('Status codes by which the service accepts the token.'),
  timeout_seconds: timeoutSeconds,
})
export type HttpTokenSettings = z.infer<typeof settings>

/** Settings that a token was connected with: they come with it, and take effect once it is proved. */
export const tokenSettings = z.strictObject({
  url: peerUrl,
  title: title.optional(),
  header: headerName.optional(),
  scheme: scheme.optional(),
  expected_status: statuses.optional(),
})

/** Printable, so that it cannot end the header; long enough to be recognised and hidden in any output. */
export const accessToken = z
  .string()
  .min(8, 'must have at least 8 characters')
  .max(8192, 'must have at most 8,192 characters')
  .regex(/^[\x21-\x7e]+$/, 'must be one word of printable characters')

/** @returns why a schema refuses a value, as a sentence; null: it does not. The value is not repeated. */
function problemOf(schema: z.ZodType, value: unknown): string | null {
  const [issue] = schema.safeParse(value).error?.issues ?? []
  return issue === undefined ? null : `It ${issue.message}.`
}

interface SettingField extends Pick<
  ConnectField,
  'name' | 'label' | 'hint' | 'optional' | 'shown'
> {
  readonly schema: z.ZodType
  readonly setting: (typed: string) => unknown
}

const settingField = ({ schema, setting, ...field }: SettingField): ConnectField => ({
  ...field,
  kind: 'text',
  setting,
  problem: (typed) => problemOf(schema, setting(typed)),
})

const asTyped = (typed: string): string => typed
const asStatuses = (typed: string): number[] =>
  typed.split(/[\s,]+/).flatMap((each) => (each === '' ? [] : [Number(each)]))

export const httpToken = {
  title: 'HTTP token',
  configuredBy: 'url',
  modes,
  settings: settings.prefault({}).describe('The connector of a token that is sent in a header.'),
  secretNames: [],
  secrets: ['token'],
  disconnect: 'The token itself stays valid until you withdraw it at the service.',
  ways: {
    header: {
      title: 'Header',
      text:
        'For any service that takes a token in a header. The host requests one address with it and ' +
        'says whether the service still accepts it.',
      fields: [
        settingField({
          name: 'url',
          label: 'Address',
          hint: 'https://api.example.com/v1/me',
          schema: peerUrl,
          setting: asTyped,
          shown: true,
        }),
        {
          name: 'access_token',
          label: 'Token',
          kind: 'secret',
          hint: 'as the service shows it',
          problem: (typed) => problemOf(accessToken, typed.trim()),
        },
        settingField({
          name: 'title',
          label: 'Name',
          hint: 'what the token is for',
          optional: true,
          schema: title,
          setting: (typed) => (typed === '' ? null : typed),
          shown: true,
        }),
        settingField({
          name: 'header',
          label: 'Header',
          hint: 'Authorization',
          schema: headerName,
          setting: asTyped,
        }),
        settingField({
          name: 'scheme',
          label: 'Word before the token',
          hint: 'none',
          optional: true,
          schema: scheme,
          setting: asTyped,
        }),
        settingField({
          name: 'expected_status',
          label: 'Expected status',
          hint: '200',
          schema: statuses,
          setting: asStatuses,
        }),
      ],
      steps: ['form', 'send', 'prove'],
      secret: 'token',
    },
  },
} as const satisfies ConnectorRow

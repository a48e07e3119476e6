import { z } from 'zod'
import { isHostOf } from '../net/hostnames.ts'
import type { ConnectorRow } from './row.ts'
import { hostname, peerUrl, timeoutSeconds, urlPath } from './settings-fields.ts'

const modes = ['storage_state'] as const

/** `kajabi` of host.json: how this host signs in at Kajabi. */
const settings = z
  .strictObject({
    mode: z
      .literal(modes)
      .default('storage_state')
      .describe('How this host signs in: with a captured login.'),
    storage_state_secret_ref: z
      .string()
      .regex(/^soma_kajabi\/[a-z0-9][a-z0-9_-]*\.json$/, 'must be soma_kajabi/<name>.json')
      .default('soma_kajabi/kajabi_storage_state.json')
      .describe('File of the captured login, below `$OPENCLAW_ETC/secrets/`.'),
    base_url: peerUrl.default('https://app.kajabi.com').describe('Address of Kajabi.'),
    hosts: z
      .array(hostname)
      .min(1)
      .default(['kajabi.com'])
      .describe(
        'Hosts whose cookies, subdomains included, a login may hold. Any other makes it invalid.',
      ),
    ca_file: z
      .string()
      .startsWith('/')
      .nullable()
      .default(null)
      .describe('Certificates (PEM) that are trusted for it instead of those of Node.'),
    check_path: urlPath
      .default('/admin')
      .describe(
        'Page that only a signed-in user gets. The check requests it, and once more with a wrong session: a page ' +
          'that it gets then too proves nothing.',
      ),
    check_text: z
      .string()
      .min(1)
      .max(300)
      .nullable()
      .default(null)
      .describe(
        'Text that the HTML of this page holds for a signed-in user alone; null: any page will do.',
      ),
    login_paths: z
      .array(urlPath)
      .min(1)
      .default(['/login', '/users/sign_in'])
      .describe('Where Kajabi redirects a user who is not signed in.'),
    signed_in_paths: z
      .array(urlPath)
      .min(1)
      .default(['/admin'])
      .describe(
        'Where Kajabi leads a user who has signed in; a page there, or below, ends a sign-in.',
      ),
    signed_in_element: z
      .string()
      .min(1)
      .max(300)
      .nullable()
      .default(null)
      .describe('CSS selector of an element that the page must show then; null: any page will do.'),
    signed_in_cookie: z
      .string()
      .regex(/^[^\s;=]+$/, 'must be the name of a cookie')
      .nullable()
      .default(null)
      .describe('Name of a cookie that the browser must hold then; null: none in particular.'),
    sign_in_minutes: z
      .number()
      .int()
      .min(1)
      .max(120)
      .default(30)
      .describe('Time that a person has to sign in, minutes.'),
    library_paths: z
      .array(urlPath)
      .min(1)
      .max(50)
      .default(['/admin/products'])
      .describe('Pages of the library that Phase 0 takes a snapshot of.'),
    library_item_paths: z
      .array(urlPath)
      .max(50)
      .default([])
      .describe(
        'A link of such a page is an item when its address starts like one of these; empty: when it is below the page.',
      ),
    library_max_pages: z
      .number()
      .int()
      .min(1)
      .max(200)
      .default(50)
      .describe('Most pages of one snapshot, further pages of a list included.'),
    library_max_items: z
      .number()
      .int()
      .min(1)
      .max(20_000)
      .default(5000)
      .describe('Most items of one snapshot.'),
    library_seconds: z
      .number()
      .int()
      .min(1)
      .max(300)
      .default(120)
      .describe('Time limit of one snapshot, seconds.'),
    timeout_seconds: timeoutSeconds,
  })
  .superRefine(({ base_url, hosts }, context) => {
    if (URL.canParse(base_url) && !isHostOf(new URL(base_url).hostname, hosts))
      context.addIssue({ code: 'custom', path: ['base_url'], message: 'must be on one of hosts' })
  })
export type KajabiSettings = z.infer<typeof settings>

export const kajabi = {
  title: 'Kajabi',
  configuredBy: null,
  modes,
  settings: settings.prefault({}).describe('The Kajabi connector.'),
  secretNames: [],
  secrets: ['storage_state'],
  disconnect:
    'Kajabi itself keeps the session until it ends or you sign out there: HQ cannot end it from here.',
  ways: {
    storage_state: {
      title: 'Browser',
      text: 'Sign in once in a real browser. HQ keeps the sign-in, not the password.',
      fields: [],
      steps: ['open', 'sign_in', 'check', 'send', 'prove'],
      secret: 'storage_state',
    },
  },
} as const satisfies ConnectorRow

import { execFileSync } from 'node:child_process'
import { chmodSync, linkSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { cookie, login, session } from '../../../support/connector-host.ts'
import { type Fault, type FaultKit, hour, now, storage } from './fault-kit.ts'

/** What can be wrong with Kajabi or its secret. */
export const kajabiFaults = (kit: FaultKit): readonly Fault[] => [
  {
    name: 'no secret',
    make: () => rmSync(join(kit.at.folder, storage)),
    state: 'not_configured',
    errorClass: 'CONNECTOR_NOT_CONFIGURED',
    detail: /kajabi_storage_state\.json does not exist\. No request was sent/,
  },
  {
    name: 'a secret that others can read',
    make: () => chmodSync(join(kit.at.folder, storage), 0o644),
    state: 'invalid',
    errorClass: 'connector_secret_unsafe',
    detail: /mode 0644, which lets others read it/,
  },
  {
    name: 'a secret that its group can write',
    make: () => chmodSync(join(kit.at.folder, storage), 0o660),
    state: 'invalid',
    errorClass: 'connector_secret_unsafe',
    detail: /mode 0660, which lets group or others write/,
  },
  {
    name: 'a link instead of the secret',
    make: () => symlinkSync(kit.aside(storage), join(kit.at.folder, storage)),
    state: 'invalid',
    errorClass: 'connector_secret_unsafe',
    detail: /is a symbolic link/,
  },
  {
    name: 'a secret with a second name',
    make: () =>
      linkSync(join(kit.at.folder, storage), join(kit.at.host.dir, `second-${Date.now()}`)),
    state: 'invalid',
    errorClass: 'connector_secret_unsafe',
    detail: /has 2 hard links/,
  },
  {
    name: 'a pipe instead of the secret',
    make: () => {
      rmSync(join(kit.at.folder, storage))
      execFileSync('mkfifo', ['-m', '640', join(kit.at.folder, storage)])
    },
    state: 'invalid',
    errorClass: 'connector_secret_unsafe',
    detail: /is not a regular file/,
  },
  {
    name: 'a secret that is not JSON',
    make: () => kit.at.write(storage, `{"cookies": ${session}`),
    state: 'invalid',
    errorClass: 'connector_secret_invalid',
    detail: /is not JSON/,
  },
  {
    name: 'a secret with an unknown field',
    make: () => kit.at.write(storage, { ...login(), [session]: 1 }),
    state: 'invalid',
    errorClass: 'connector_secret_invalid',
    detail: /the whole file \(unrecognized keys\)/,
  },
  {
    name: 'a secret that is too large',
    make: () => kit.at.write(storage, `{"a":"${'x'.repeat(1024 * 1024)}"}`),
    state: 'invalid',
    errorClass: 'connector_secret_invalid',
    detail: /more than 1048576/,
  },
  {
    name: 'a cookie of a foreign host',
    make: () => kit.at.write(storage, login(cookie('id', session, { domain: '.evil.example' }))),
    state: 'invalid',
    errorClass: 'connector_secret_invalid',
    detail: /cookies\.2 \(is of a host that kajabi\.hosts does not name\)/,
  },
  {
    name: 'the storage of a foreign page',
    make: () =>
      kit.at.write(storage, {
        ...login(),
        origins: [{ origin: 'https://evil.example', localStorage: [] }],
      }),
    state: 'invalid',
    errorClass: 'connector_secret_invalid',
    detail: /origins\.0\.origin/,
  },
  {
    name: 'a cookie that would add a header',
    make: () => kit.at.write(storage, login(cookie('id', `${session}\r\nx-more: 1`))),
    state: 'invalid',
    errorClass: 'connector_secret_invalid',
    detail: /cookies\.2\.value \(is not a cookie value\)/,
  },
  {
    name: 'cookies that have expired',
    make: () =>
      kit.at.write(storage, {
        cookies: [
          cookie('_kjb_session', session, { expires: now() - hour }),
          cookie('old', 'old-old-old', { expires: 1 }),
        ],
        origins: [],
      }),
    state: 'expired',
    errorClass: 'connector_expired',
    detail: /all of its 2 cookies .* have expired\. No request was sent/,
  },
  {
    name: 'no cookie for the page',
    make: () =>
      kit.at.write(storage, {
        cookies: [cookie('_kjb_session', session, { path: '/elsewhere' })],
        origins: [],
      }),
    state: 'invalid',
    errorClass: 'connector_secret_invalid',
    detail: /has no cookie for/,
  },
  {
    name: 'a login that has ended',
    make: () =>
      kit.at.write(storage, { cookies: [cookie('_kjb_session', 'ended0123456789')], origins: [] }),
    state: 'expired',
    errorClass: 'connector_expired',
    detail: /redirected to its login page/,
  },
  {
    name: 'a page that is forbidden',
    make: kit.page(403),
    state: 'expired',
    errorClass: 'connector_expired',
    detail: /answered 403/,
  },
  {
    name: 'a page that asks for a password',
    make: kit.page(
      200,
      { 'content-type': 'text/html' },
      '<form><input name="p" type="password"></form>',
    ),
    state: 'expired',
    errorClass: 'connector_expired',
    detail: /form that asks for a password/,
  },
  {
    name: 'a page that asks for the code of a second factor',
    make: kit.page(
      200,
      { 'content-type': 'text/html' },
      '<form><input name="c" autocomplete="one-time-code"></form>',
    ),
    state: 'expired',
    errorClass: 'connector_expired',
    detail: /form that asks for a code/,
  },
  {
    name: 'a form of the login page without a password',
    make: kit.page(
      200,
      { 'content-type': 'text/html' },
      '<form action="/login?next=a"><input name="email"></form>',
    ),
    state: 'expired',
    errorClass: 'connector_expired',
    detail: /with a form of its login page/,
  },
  {
    name: 'a page that leads to the login page by itself',
    make: kit.page(
      200,
      { 'content-type': 'text/html' },
      '<meta http-equiv="Refresh" content="3; URL=\'/login\'">Your session has ended.',
    ),
    state: 'expired',
    errorClass: 'connector_expired',
    detail: /with a page that leads to its login page/,
  },
  // A page that everybody gets: that of another site, one in between, or one that says that a session has ended.
  ...['<h1>This domain is for sale</h1>', 'Just a moment…', 'Your session has expired.'].map(
    (html) => ({
      name: `a page that everybody gets: ${html}`,
      make: kit.page(200, { 'content-type': 'text/html' }, html),
      state: 'unreachable' as const,
      errorClass: 'connector_answer_unexpected' as const,
      detail: /shows a page of kajabi\.check_path to somebody who is not signed in too/,
    }),
  ),
  {
    name: 'a page without the text that only a signed-in user gets',
    make: () => kit.at.settings({ kajabi: { check_text: 'Sign out' } }),
    state: 'unreachable',
    errorClass: 'connector_answer_unexpected',
    detail: /does not hold the text that kajabi\.check_text names/,
  },
  {
    name: 'a service that does not answer whether everybody gets the page',
    make: () => {
      let requests = 0
      kit.at.kajabi.answer = (_request, response) => {
        requests += 1
        if (requests > 1) response.writeHead(503).end()
        else response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Dashboard</h1>')
      }
    },
    state: 'unreachable',
    errorClass: 'connector_unreachable',
    detail: /answered 503/,
  },
  {
    name: 'a certificate file that is missing',
    make: () => kit.at.settings({ kajabi: { ca_file: '/nowhere/ca.pem' } }),
    state: 'invalid',
    errorClass: 'config_invalid',
    detail: /kajabi\.ca_file of host\.json/,
  },
  {
    name: 'an answer that is no page',
    make: kit.page(200, { 'content-type': 'application/json' }, '{}'),
    state: 'unreachable',
    errorClass: 'connector_answer_unexpected',
    detail: /not a web page/,
  },
  {
    name: 'a page that redirects to the front page',
    make: kit.page(302, { location: '/' }),
    state: 'unreachable',
    errorClass: 'connector_answer_unexpected',
    detail: /another page, which got no request/,
  },
  {
    name: 'a page that redirects for ever',
    make: kit.page(302, { location: '/admin/more' }),
    state: 'unreachable',
    errorClass: 'connector_answer_unexpected',
    detail: /more than 3 times/,
  },
  {
    name: 'an answer without end',
    make: kit.page(200, {}, 'x'.repeat(3 * 1024 * 1024)),
    state: 'unreachable',
    errorClass: 'connector_answer_unexpected',
    detail: /more than 2097152 bytes/,
  },
  {
    name: 'a peer that is out of order',
    make: kit.page(503),
    state: 'unreachable',
    errorClass: 'connector_unreachable',
    detail: /answered 503/,
  },
  {
    name: 'a peer that is down',
    make: async () => kit.at.settings({ kajabi: { base_url: await kit.gone() } }),
    state: 'unreachable',
    errorClass: 'connector_unreachable',
    detail: /nothing listens at its address/,
  },
  {
    name: 'a peer that hangs',
    make: async () =>
      kit.at.settings({
        kajabi: { base_url: `http://127.0.0.1:${await kit.silent()}`, timeout_seconds: 1 },
      }),
    state: 'unreachable',
    errorClass: 'connector_unreachable',
    detail: /Kajabi gave no answer within 1 s/,
  },
]

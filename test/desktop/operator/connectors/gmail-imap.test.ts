import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { gmailImap, type ImapServer } from '#ops/features/connectors/index'
import type { Obtain } from '../../../../desktop/operator/connectors/common/way.ts'
import { obtainAppPassword } from '../../../../desktop/operator/connectors/gmail/imap-way.ts'
import { imapPeer, type ImapPeer } from '../../../support/connector-peers.ts'
import { start } from './gmail-kit.ts'

const user = 'ada@example.test'
const password = 'abcdefghijklmnop'
let good: ImapPeer
beforeAll(async () => {
  good = await imapPeer({ user, pass: password })
})
afterAll(async () => await good.close())
const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

const at = ({ port, caFile }: ImapPeer, trusted = true): ImapServer => ({
  host: '127.0.0.1',
  port,
  ca: trusted ? readFileSync(caFile, 'utf8') : null,
})
const by =
  (server: ImapServer): Obtain =>
  (attempt, options) =>
    obtainAppPassword(attempt, options, server)
const logins = (peer: ImapPeer): number => peer.said().match(/AUTHENTICATE/g)?.length ?? 0

describe('connecting Gmail by an app password', () => {
  it.each(['abcd efgh ijkl mnop', ' abcdefghijklmnop\n', 'abcd\u00a0efgh\u00a0ijkl\u00a0mnop'])(
    'takes the 16 letters of %j, and proves them by one login',
    async (typed) => {
      const before = logins(good)
      const { ended } = start(
        'imap',
        { user: ` ${user} `, password: typed },
        { obtain: by(at(good)) },
      )
      const { secrets, shown, kept } = await ended
      expect(gmailImap.schema.parse(secrets?.['imap'])).toEqual({
        GMAIL_USER: user,
        GMAIL_APP_PASSWORD: password,
      })
      expect(logins(good) - before).toBe(1)
      expect(shown).not.toMatch(/abcd.?efgh/)
      expect([...kept]).toEqual([])
    },
  )

  it.each([
    ['15 letters', user, 'abcdefghijklmno', /has 16 letters; this one has 15/],
    ['17 letters', user, 'abcd efgh ijkl mnop q', /has 16 letters; this one has 17/],
    ['the password of the account', user, 'Hunter2!Hunter2!', /this one has other characters too/],
    ['no mailbox', 'ada', password, /not that of a mailbox/],
    ['CR and LF in the address', 'ada@x.test\r\na1 LOGOUT', password, /not that of a mailbox/],
  ])('sends nothing when the form has %s', async (_what, address, typed, message) => {
    const before = good.said()
    const { ended } = start('imap', { user: address, password: typed }, { obtain: by(at(good)) })
    const end = await ended
    expect(end).toMatchObject({
      secrets: null,
      errorClass: 'connector_secret_invalid',
      message: expect.stringMatching(message),
    })
    expect(good.said()).toBe(before)
    expect(end.shown).not.toContain(typed)
  })

  it.each<[string, () => Promise<ImapServer>, string, RegExp, number]>([
    [
      'refuses the password',
      async () => at(good),
      'connector_refused',
      /refused the user and the app password/,
      1,
    ],
    [
      'has a certificate of no known authority',
      async () => at(good, false),
      'connector_insecure',
      /No secret was sent/,
      0,
    ],
    [
      'does not speak TLS',
      async () => {
        const peer = await imapPeer({ user, pass: password, tls: false })
        closing.push(peer.close)
        return { host: '127.0.0.1', port: peer.port, ca: null }
      },
      'connector_insecure',
      /does not speak TLS/,
      0,
    ],
    [
      'sends a line without end',
      async () => {
        const peer = await imapPeer({ user, pass: password, flood: { at: 'greeting', text: 'x' } })
        closing.push(peer.close)
        return at(peer)
      },
      'connector_answer_unexpected',
      /sent more than 1048576 bytes/,
      0,
    ],
  ])(
    'ends after one attempt when the server %s',
    async (_what, server, errorClass, message, count) => {
      const before = logins(good)
      const typed = 'wrng wrng wrng wrng'
      const { ended } = start('imap', { user, password: typed }, { obtain: by(await server()) })
      const end = await ended
      expect(end).toMatchObject({
        secrets: null,
        errorClass,
        message: expect.stringMatching(message),
      })
      expect(logins(good) - before).toBe(count)
      expect(end.shown).not.toMatch(/wrng/)
    },
  )
})

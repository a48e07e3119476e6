import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import getPort from 'get-port'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { obtainAppPassword } from '../../desktop/operator/connectors/gmail/imap-way.ts'
import { start } from '../desktop/operator/connectors/gmail-kit.ts'
import { connectorHost, type ConnectorHost } from '../support/connector-host.ts'
import { ownCertificate } from '../support/connector-peers.ts'
import { until } from '../support/hostd.ts'

const program = ['/usr/sbin/dovecot', '/usr/local/sbin/dovecot'].find((path) => existsSync(path))
/** Dovecot starts its processes as other accounts, and 2.4 has another form of configuration. */
const canRun =
  program !== undefined &&
  process.getuid?.() === 0 &&
  execFileSync(program, ['--version'], { encoding: 'utf8' }).startsWith('2.3.')
const why = canRun ? null : 'it takes root, and Dovecot 2.3'

const user = 'ada@example.test'
const password = 'abcdefghijklmnop'

describe.skipIf(why !== null)(
  `an app password at a real Dovecot${why === null ? '' : ` (${why})`}`,
  () => {
    const certificate = ownCertificate()
    let dir: string
    let dovecot: ChildProcess
    let at: ConnectorHost
    let [imaps, imap] = [0, 0]
    const log = (): string => readFileSync(join(dir, 'log'), 'utf8')

    beforeAll(async () => {
      imaps = await getPort()
      imap = await getPort({ exclude: [imaps] })
      dir = mkdtempSync(join(tmpdir(), 'openclaw-dovecot-'))
      chmodSync(dir, 0o755)
      for (const name of ['base', 'state', 'mail']) mkdirSync(join(dir, name))
      writeFileSync(join(dir, 'users'), `${user}:{PLAIN}${password}::::::\n`)
      writeFileSync(join(dir, 'dovecot.conf'), configuration())
      dovecot = spawn(program ?? '', ['-F', '-c', join(dir, 'dovecot.conf')], { stdio: 'ignore' })
      at = await connectorHost()
      await until('Dovecot', () => answers(imaps))
    })
    afterAll(async () => {
      await at.remove()
      const ended = once(dovecot, 'exit')
      dovecot.kill('SIGTERM')
      await ended
      for (const each of [dir, certificate.dir]) rmSync(each, { recursive: true, force: true })
    })

    const configuration = (): string => `
base_dir = ${dir}/base
state_dir = ${dir}/state
log_path = ${dir}/log
protocols = imap
listen = 127.0.0.1
instance_name = openclaw-${process.pid}
ssl = yes
ssl_cert = <${certificate.cert}
ssl_key = <${certificate.key}
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
mail_location = maildir:${dir}/mail/%u
first_valid_uid = 1
passdb {
  driver = passwd-file
  args = ${dir}/users
}
userdb {
  driver = static
  args = uid=mail gid=mail home=${dir}/mail/%u
}
service imap-login {
  inet_listener imap {
    port = ${imap}
  }
  inet_listener imaps {
    port = ${imaps}
  }
}
service anvil {
  chroot =
}
`
    const attempt = async (typed: string, port: number, trusted = true) => {
      const ca = trusted ? readFileSync(certificate.cert, 'utf8') : null
      const server = { host: '127.0.0.1', port, ca }
      return await start(
        'imap',
        { user, password: typed },
        { obtain: (each, options) => obtainAppPassword(each, options, server) },
      ).ended
    }

    it('is proved by the laptop and by the host', async () => {
      const { secrets, shown } = await attempt('abcd efgh ijkl mnop', imaps)
      expect(secrets?.['imap']).toEqual({ GMAIL_USER: user, GMAIL_APP_PASSWORD: password })
      expect(shown).not.toContain(password)
      at.write('gmail_imap.json', secrets?.['imap'])
      at.useImap({ imap_port: imaps, imap_ca_file: certificate.cert })
      expect((await at.check()).gmail).toMatchObject({ state: 'ready', account: user })
      expect(log()).not.toContain(password)
    })

    it('is tried once when it is wrong', async () => {
      const { secrets, errorClass } = await attempt('wrng wrng wrng wrng', imaps)
      expect([secrets, errorClass]).toEqual([null, 'connector_refused'])
      // Dovecot notes the attempts of a connection when it ends.
      await until('the note of Dovecot', () => /auth failed, \d+ attempts/.test(log()))
      expect(log().match(/auth failed, \d+ attempts/g)).toEqual(['auth failed, 1 attempts'])
    })

    it('is not sent to a certificate of no known authority, nor without TLS', async () => {
      const before = log()
      expect(await attempt(password, imaps, false)).toMatchObject({
        errorClass: 'connector_insecure',
      })
      expect(await attempt(password, imap)).toMatchObject({ errorClass: 'connector_insecure' })
      expect(log().slice(before.length)).not.toMatch(/Login: user|auth failed/)
    })
  },
)

const answers = async (port: number): Promise<boolean> =>
  await new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })

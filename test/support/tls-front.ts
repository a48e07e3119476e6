import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer, type Server } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { freePort } from './ports.ts'

type Certificate = 'valid' | 'expired' | 'not_yet' | 'wrong_name' | 'unknown_ca' | 'self_signed'

/** A proxy with TLS in front of a loopback peer, with certificates of its own authority. */
export interface TlsFront {
  readonly url: string
  /** Shows this certificate from now on; connections that are open end. */
  show(certificate: Certificate): void
  close(): Promise<void>
}

/** Makes an authority that this process trusts, and one certificate for 127.0.0.1 of each kind. */
export async function tlsFront(behind: () => string): Promise<TlsFront> {
  const dir = mkdtempSync(join(tmpdir(), 'tls-front-'))
  const made = makeCertificates(dir)
  const before = getCACertificates('default')
  setDefaultCACertificates([...before, made.authority])
  const server: Server = createServer(made.of('valid'), (incoming, outgoing) => {
    const passed = request(
      `${behind()}${incoming.url ?? '/'}`,
      { method: incoming.method, headers: incoming.headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
        answer.pipe(outgoing)
      },
    )
    // As Tailscale Serve answers when nothing listens behind it.
    passed.on('error', () => outgoing.writeHead(502).end())
    incoming.pipe(passed)
  })
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    url: `https://127.0.0.1:${port}`,
    show: (certificate) => {
      server.setSecureContext(made.of(certificate))
      server.closeAllConnections()
    },
    close: async () => {
      setDefaultCACertificates(before)
      server.closeAllConnections()
      await new Promise((resolve) => {
        server.close(resolve)
      })
      rmSync(dir, { recursive: true })
    },
  }
}

function makeCertificates(dir: string): {
  authority: string
  of: (certificate: Certificate) => { key: string; cert: string }
} {
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: dir, stdio: 'ignore' })
  }
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  const files = (name: string, out: string): string[] => ['-keyout', `${name}.key`, '-out', out]
  for (const name of ['ours', 'other'])
    openssl('req', '-x509', ...key, '-subj', `/CN=${name}`, ...files(name, `${name}.crt`))
  writeFileSync(join(dir, 'index.txt'), '')
  writeFileSync(join(dir, 'ca.cnf'), authorityConfig)
  const leaf = (
    name: Certificate,
    { san = own, by = 'ours', from = '20200101', to = '20900101' },
  ): void => {
    const subject = ['-subj', '/CN=host', '-addext', `subjectAltName=${san}`]
    openssl('req', '-new', ...key, ...subject, ...files(name, `${name}.csr`))
    const signer =
      by === name
        ? ['-selfsign', '-keyfile', `${name}.key`]
        : ['-keyfile', `${by}.key`, '-cert', `${by}.crt`]
    const span = ['-startdate', `${from}000000Z`, '-enddate', `${to}000000Z`]
    openssl(
      'ca',
      '-batch',
      '-config',
      'ca.cnf',
      ...signer,
      ...span,
      '-in',
      `${name}.csr`,
      '-out',
      `${name}.crt`,
      '-notext',
    )
  }
  leaf('valid', {})
  leaf('wrong_name', { san: 'DNS:other.example' })
  leaf('unknown_ca', { by: 'other' })
  leaf('self_signed', { by: 'self_signed' })
  leaf('expired', { to: '20200102' })
  leaf('not_yet', { from: '20890101' })
  const read = (name: string): string => readFileSync(join(dir, name), 'utf8')
  return {
    authority: read('ours.crt'),
    of: (name) => ({ key: read(`${name}.key`), cert: read(`${name}.crt`) }),
  }
}

const own = 'IP:127.0.0.1'

/** What `openssl ca` wants before it signs; only it sets when a certificate begins. */
const authorityConfig = `[ca]
default_ca = it
[it]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
`

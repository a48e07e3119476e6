import { execFileSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate authority of a test, and a certificate that it gave. */
export interface OwnCa {
  readonly dir: string
  /** The certificate of the authority: who trusts it trusts the server. */
  readonly ca: string
  readonly key: string
  /** Of the server, with that of the authority behind it. */
  readonly chain: string
}

const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
const openssl = (...args: readonly string[]): string =>
  execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })

/** @param names of the server, as in a certificate: `DNS:name`, `IP:address` */
export function ownCa(names: readonly string[]): OwnCa {
  const dir = mkdtempSync(join(tmpdir(), 'openclaw-ca-'))
  const path = (name: string): string => join(dir, name)
  const [ca, caKey, key] = [path('ca.pem'), path('ca-key.pem'), path('key.pem')]
  const ofCa = ['-subj', '/CN=CA of a test', '-addext', 'keyUsage=critical,keyCertSign,cRLSign']
  openssl('req', '-x509', ...curve, '-days', '2', ...ofCa, '-keyout', caKey, '-out', ca)
  const request = path('request.pem')
  openssl('req', '-new', ...curve, '-subj', '/CN=app', '-keyout', key, '-out', request)
  const extensions = path('extensions')
  writeFileSync(extensions, `subjectAltName=${names.join(',')}\nextendedKeyUsage=serverAuth\n`)
  const signed = ['-CA', ca, '-CAkey', caKey, '-days', '2', '-extfile', extensions]
  const chain = path('chain.pem')
  const certificate = openssl('x509', '-req', '-in', request, ...signed)
  writeFileSync(chain, certificate + openssl('x509', '-in', ca))
  return { dir, ca, key, chain }
}

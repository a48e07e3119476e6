import { join } from 'node:path'
import { must } from '../programs.ts'

/** A certificate and its key, as files. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** An authority for certificates, trusted by whom its own certificate is given to. */
export interface Authority {
  /** File of its own certificate. */
  readonly ca: string
  /** @param name of the files. @param for as openssl names it: `DNS:host.example`, `IP:10.0.0.1` */
  issue(name: string, subject: string): Promise<Certificate>
  /** The same, signed by nobody but itself. */
  selfSigned(name: string, subject: string): Promise<Certificate>
}

/** @param dir folder of its files */
export async function makeAuthority(dir: string): Promise<Authority> {
  const request = async (
    name: string,
    extensions: readonly string[],
    more: readonly string[] = [],
  ): Promise<Certificate> => {
    const [key, cert] = [join(dir, `${name}.key`), join(dir, `${name}.pem`)]
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
    const how = ['-days', '2', '-subj', `/CN=${name}`, '-keyout', key, '-out', cert, ...more]
    const added = extensions.flatMap((each) => ['-addext', each])
    await must(['openssl', 'req', '-x509', ...curve, ...how, ...added])
    return { cert, key }
  }
  const own = await request('ca', ['basicConstraints=critical,CA:TRUE'])
  const leaf = (subject: string): string[] => [
    `subjectAltName=${subject}`,
    'basicConstraints=CA:FALSE',
  ]
  return {
    ca: own.cert,
    issue: async (name, subject) =>
      await request(name, leaf(subject), ['-CA', own.cert, '-CAkey', own.key]),
    selfSigned: async (name, subject) => await request(name, leaf(subject)),
  }
}

// Ways to change a signed envelope. Every verifier must refuse each of them.
import { dsse } from '@sigstore/core'
import canonicalize from 'canonicalize'
import type { Envelope, Statement } from '#shared/statement'
import type { SigningKey } from '#ops/core/trust/signing-key'

interface Scene {
  readonly envelope: Envelope
  readonly statement: Statement
  /** A key that the verifier does not trust. */
  readonly foreign: SigningKey
}

export interface EnvelopeTampering {
  readonly name: string
  readonly apply: (scene: Scene) => unknown
}

const flip = (base64: string, at: number): string => {
  const bytes = Buffer.from(base64, 'base64')
  bytes[at] = (bytes[at] ?? 0) ^ 1
  return bytes.toString('base64')
}
const payloadOf = (statement: object): string =>
  Buffer.from(canonicalize(statement) ?? '').toString('base64')
const signatureOf = ({ signatures: [signature] }: Envelope): Envelope['signatures'][number] => {
  if (signature === undefined) throw new Error('an envelope without a signature')
  return signature
}
const signedBy = (key: SigningKey, { payloadType, payload }: Envelope): string =>
  key.sign(dsse.preAuthEncoding(payloadType, Buffer.from(payload, 'base64'))).toString('base64')
const otherSubject = [{ name: 'sample', digest: { gitCommit: 'f'.repeat(40) } }]

export const envelopeTamperings: readonly EnvelopeTampering[] = [
  {
    name: 'a bit of the payload',
    apply: ({ envelope }) => ({ ...envelope, payload: flip(envelope.payload, 40) }),
  },
  {
    name: 'a bit of the signature',
    apply: ({ envelope }) => ({
      ...envelope,
      signatures: [{ ...signatureOf(envelope), sig: flip(signatureOf(envelope).sig, 5) }],
    }),
  },
  {
    name: 'a digit of the key id',
    apply: ({ envelope }) => {
      const { keyid, sig } = signatureOf(envelope)
      return {
        ...envelope,
        signatures: [{ keyid: `${keyid[0] === '0' ? '1' : '0'}${keyid.slice(1)}`, sig }],
      }
    },
  },
  {
    name: 'the type of the payload',
    apply: ({ envelope }) => ({ ...envelope, payloadType: 'application/vnd.in-toto+jsom' }),
  },
  {
    name: 'the subject',
    apply: ({ envelope, statement }) => ({
      ...envelope,
      payload: payloadOf({ ...statement, subject: otherSubject }),
    }),
  },
  {
    name: 'the type of the predicate',
    apply: ({ envelope, statement }) => ({
      ...envelope,
      payload: payloadOf({ ...statement, predicateType: 'https://example.org/other/v1' }),
    }),
  },
  {
    name: 'the key: signed by another under the same id',
    apply: ({ envelope, foreign }) => ({
      ...envelope,
      signatures: [{ ...signatureOf(envelope), sig: signedBy(foreign, envelope) }],
    }),
  },
  {
    name: 'the key: signed by another under its own id',
    apply: ({ envelope, foreign }) => ({
      ...envelope,
      signatures: [{ keyid: foreign.id, sig: signedBy(foreign, envelope) }],
    }),
  },
  {
    name: 'the signed bytes: the payload without its type',
    apply: ({ envelope, foreign }) => ({
      ...envelope,
      signatures: [
        {
          ...signatureOf(envelope),
          sig: foreign.sign(Buffer.from(envelope.payload, 'base64')).toString('base64'),
        },
      ],
    }),
  },
  {
    name: 'a signature that was taken away',
    apply: ({ envelope }) => ({ ...envelope, signatures: [] }),
  },
]

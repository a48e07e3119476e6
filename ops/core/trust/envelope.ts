// in-toto statements in DSSE envelopes: how they are signed, and how they are read again.
import { verify } from 'node:crypto'
import { dsse } from '@sigstore/core'
import canonicalize from 'canonicalize'
import { envelope, statement as statementSchema, statementPayload } from '#shared/statement'
import type { Envelope, Statement } from '#shared/statement'
import type { SigningKey } from './signing-key.ts'
import type { TrustedKeys } from './trusted-keys.ts'

/**
 * `verified`: signed by one of the keys. `no_key_enrolled`: there is no key to check with. `unknown_key`: none of the
 * keys has its id. Only an envelope that is `invalid` has no statement.
 */
export type OpenedEnvelope =
  | {
      readonly state: 'verified' | 'no_key_enrolled' | 'unknown_key'
      readonly statement: Statement
      readonly keyId: string
    }
  | { readonly state: 'invalid'; readonly why: string }

/**
 * Signs a statement. The same statement and key always give the same text.
 * @returns the envelope as one line, without a line feed: its digest is the digest of the line
 * @throws {Error} for values that canonical JSON has no form for (lone surrogates)
 */
export function signStatement(statement: Statement, key: SigningKey): string {
  const payload = Buffer.from(canonicalize(statementSchema.parse(statement)) ?? '')
  const sig = key.sign(dsse.preAuthEncoding(statementPayload, payload)).toString('base64')
  return spelled({
    payloadType: statementPayload,
    payload: payload.toString('base64'),
    signatures: [{ keyid: key.id, sig }],
  })
}

const spelled = ({ payloadType, payload, signatures }: Envelope): string =>
  JSON.stringify({
    payloadType,
    payload,
    signatures: signatures.map(({ keyid, sig }) => ({ keyid, sig })),
  })

/**
 * Reads an envelope and checks its signature. An envelope and its payload have one spelling each: what two programs
 * could read differently, such as a name that occurs twice, is invalid even when it is signed.
 */
export function openEnvelope(text: string, keys: TrustedKeys): OpenedEnvelope {
  const { data: found } = envelope.safeParse(parsed(text))
  if (found === undefined || spelled(found) !== text)
    return invalid('it is not a DSSE envelope of an in-toto statement')
  const payload = Buffer.from(found.payload, 'base64')
  const { data: statement } = statementSchema.safeParse(parsed(payload.toString('utf8')))
  if (statement === undefined) return invalid('its payload is not an in-toto statement')
  if (!payload.equals(Buffer.from(canonicalOf(statement) ?? '')))
    return invalid('its payload is not in canonical form')
  if (payload.toString('base64') !== found.payload)
    return invalid('its payload is not plain base64')
  const [signed] = found.signatures
  if (signed === undefined) return invalid('it has no signature')
  const { keyid, sig } = signed
  if (keys.size === 0) return { state: 'no_key_enrolled', statement, keyId: keyid }
  const key = keys.get(keyid)
  if (key === undefined) return { state: 'unknown_key', statement, keyId: keyid }
  const bytes = Buffer.from(sig, 'base64')
  const encoded = dsse.preAuthEncoding(found.payloadType, payload)
  return bytes.toString('base64') === sig && verify(null, encoded, key, bytes)
    ? { state: 'verified', statement, keyId: keyid }
    : invalid(`the signature of key ${keyid} does not match its content`)
}

const invalid = (why: string): OpenedEnvelope => ({ state: 'invalid', why })

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // no JSON, so no schema accepts it
  }
}

function canonicalOf(value: object): string | undefined {
  try {
    return canonicalize(value)
  } catch {
    return undefined // broken Unicode has no canonical form and was never signed
  }
}

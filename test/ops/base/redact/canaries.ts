/**
 * Twelve secrets of the kinds that this product loads, none of them real: lengths, alphabets and marks differ on
 * purpose.
 */
export const canaries: readonly string[] = [
  'c4n4ryAdminToken9f83b1e07d5a42c6',
  'correct horse/battery+staple=42',
  "p@ss\"w\\ord<&>'quoted'",
  'abcd efgh ijkl mnop',
  '1//0gQ7canaryRefreshTokenXyZ-_9876543210abcdef',
  'GOCSPX-canaryClientSecret_28chr',
  'eyJhbGciOiJub25lIn0.eyJjYW5hcnkiOnRydWV9.c2lnbmF0dXJl',
  'kjb_session=9d8c7b6a5f4e3d2c1b0a%2Bcanary',
  'pässwörd-ünïcode-canary-✓',
  'canary{"nested":"json","n":[1,2]}',
  'https://user:canaryInAddress77@imap.example.test/x?y=z&q=1', // openclaw-allow-secret: a canary of the tests
  'ZYXWVUTSRQPONMLKJIHGFEDCBA0123456789canaryLongOne_ZYXWVUTSRQPONMLKJIHGFEDCBA0123456789',
]

const bytes = (text: string): Buffer => Buffer.from(text)

/** The encodings in which a secret turns up in output, each by its ordinary encoder. */
export const encodings: Readonly<Record<string, (secret: string) => string>> = {
  raw: (secret) => secret,
  base64: (secret) => bytes(secret).toString('base64'),
  base64url: (secret) => bytes(secret).toString('base64url'),
  url: (secret) => encodeURIComponent(secret),
  json: (secret) => JSON.stringify(secret).slice(1, -1),
  hex: (secret) => bytes(secret).toString('hex'),
  upper_hex: (secret) => bytes(secret).toString('hex').toUpperCase(),
  html: (secret) =>
    secret
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      .replaceAll("'", '&#39;'),
}

/** Would this encoding of the secret still be readable in a text? Base64 also when it lies inside of a longer one. */
export const innerForm = (name: string, encoded: string): string =>
  name.startsWith('base64') ? encoded.replace(/=+$/, '').slice(0, -1) : encoded

const alphabets = [
  'abcdefghijklmnopqrstuvwxyz0123456789',
  'ABCDEFabcdef0123456789',
  'aB3-_.~+/=%&?:@!$',
  '"\'\\<>&{}[] aZ9',
  'äöü✓漢字𝄞ß€aZ',
]

/** Twelve secrets of chance, of several alphabets and lengths. */
export function secretsOf(random: () => number): string[] {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
  return Array.from({ length: 12 }, () => {
    const alphabet = Array.from(pick(alphabets))
    return `k${Array.from({ length: 10 + Math.floor(random() * 60) }, () => pick(alphabet)).join('')}k`
  })
}

const hex = (byte: number): string => byte.toString(16).padStart(2, '0')
const octal = (byte: number): string => `\\${byte.toString(8).padStart(3, '0')}`

/** Encodings that are met less often, each as the program writes it that it is named after. */
export const oddEncodings: Readonly<Record<string, (secret: string) => string>> = {
  'base64 in lines of 76': (secret) =>
    bytes(secret).toString('base64').replaceAll(/.{76}/g, '$&\n'),
  'base64 in lines of 64': (secret) =>
    bytes(secret).toString('base64').replaceAll(/.{64}/g, '$&\n'),
  'base64 of base64': (secret) => bytes(bytes(secret).toString('base64')).toString('base64'),
  'base64 of UTF-16': (secret) => Buffer.from(secret, 'utf16le').toString('base64'),
  'base64 in an address': (secret) => encodeURIComponent(bytes(secret).toString('base64')),
  'base64 in JSON of PHP': (secret) => bytes(secret).toString('base64').replaceAll('/', '\\/'),
  'a printed Buffer': (secret) =>
    bytes(secret)
      .toString('hex')
      .replaceAll(/..(?=.)/g, '$& '),
  'a Buffer as JSON': (secret) =>
    JSON.stringify(bytes(secret)).slice('{"type":"Buffer","data":['.length, -2),
  'a fingerprint': (secret) => [...bytes(secret)].map((byte) => hex(byte).toUpperCase()).join(':'),
  'an array in C': (secret) => [...bytes(secret)].map((byte) => `0x${hex(byte)}`).join(', '),
  'octal escapes': (secret) => [...bytes(secret)].map(octal).join(''),
  'a path quoted by git': (secret) =>
    [...bytes(secret)]
      .map((byte) =>
        byte < 0x20 || byte > 0x7e
          ? octal(byte)
          : '"\\'.includes(String.fromCharCode(byte))
            ? `\\${String.fromCharCode(byte)}`
            : String.fromCharCode(byte),
      )
      .join(''),
  'numbered entities': (secret) =>
    Array.from(secret, (sign) => `&#${sign.codePointAt(0)};`).join(''),
  'numbered entities, hex': (secret) =>
    Array.from(secret, (sign) => `&#x${sign.codePointAt(0)?.toString(16)};`).join(''),
  'set -x of a shell': (secret) => secret.replaceAll("'", "'\\''"),
  'printf %q of a shell': (secret) => secret.replaceAll(/[ !"$&'()*,;<>?[\\\]^`{|}]/g, '\\$&'),
  'repr of Python': (secret) => secret.replaceAll(/[\\']/g, '\\$&'),
  'quoted-printable': (secret) =>
    [...bytes(secret)]
      .map((byte) =>
        byte >= 0x20 && byte <= 0x7e && byte !== 0x3d
          ? String.fromCharCode(byte)
          : `=${hex(byte).toUpperCase()}`,
      )
      .join(''),
}

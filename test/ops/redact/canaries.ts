/** Twelve secrets of the kinds that this product loads, none of them real: lengths, alphabets and marks differ on purpose. */
export const canaries: readonly string[] = [
  'c4n4ryAdminToken9f83b1e07d5a42c6',
  'correct horse/battery+staple=42',
  'p@ss"w\\ord<&>\'quoted\'',
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
  html: (secret) => secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;'),
}

/** Would this encoding of the secret still be readable in a text? Base64 also when it lies inside of a longer one. */
export const innerForm = (name: string, encoded: string): string => (name.startsWith('base64') ? encoded.replace(/=+$/, '').slice(0, -1) : encoded)

const alphabets = ['abcdefghijklmnopqrstuvwxyz0123456789', 'ABCDEFabcdef0123456789', 'aB3-_.~+/=%&?:@!$', '"\'\\<>&{}[] aZ9', 'äöü✓漢字𝄞ß€aZ']

/** Twelve secrets of chance, of several alphabets and lengths. */
export function secretsOf(random: () => number): string[] {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
  return Array.from({ length: 12 }, () => {
    const alphabet = Array.from(pick(alphabets))
    return `k${Array.from({ length: 10 + Math.floor(random() * 60) }, () => pick(alphabet)).join('')}k`
  })
}

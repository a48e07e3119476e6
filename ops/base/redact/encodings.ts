/** Shortest secret that can be kept out of a text without tearing everything else apart, in characters. */
export const minSecretLength = 4
/** Shortest encoded form that is searched for: anything shorter is found by accident all over a log. */
const minFormLength = 8

const base64Alphabet = (text: string, url: boolean): string =>
  url ? text.replaceAll('+', '-').replaceAll('/', '_') : text

/** The characters of base64 that depend on these bytes alone, for each of their three positions in a group. */
function base64Forms(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64')
    const first = Math.ceil((offset * 8) / 6)
    const last = Math.floor(((offset + bytes.length) * 8) / 6)
    const inner = encoded.slice(first, last)
    return [inner, base64Alphabet(inner, true)]
  })
}

/**
 * Base64 as programs break it over lines, when it begins with the secret: 76 characters a line (MIME, coreutils), or
 * 64 (PEM).
 */
const brokenBase64 = (bytes: Buffer): string[] => {
  const encoded = bytes.toString('base64').slice(0, Math.floor((bytes.length * 8) / 6))
  return [76, 64].flatMap((width) =>
    encoded.length <= width ? [] : (encoded.match(new RegExp(`.{1,${width}}`, 'g')) ?? []),
  )
}

const eachByte = (bytes: Buffer, form: (hex: string) => string, between = ''): string =>
  [...bytes].map((byte) => form(byte.toString(16).padStart(2, '0'))).join(between)
/** As debuggers, dumps and printed buffers show bytes. */
const listedBytes = (bytes: Buffer): string[] => [
  ...[' ', ':', '-', ', ', ','].map((between) => eachByte(bytes, (hex) => hex, between)),
  ...[' ', ':', '-'].map((between) => eachByte(bytes, (hex) => hex.toUpperCase(), between)),
  ...[', ', ',', ' '].flatMap((between) => [
    eachByte(bytes, (hex) => `0x${hex}`, between),
    eachByte(bytes, (hex) => `0x${hex.toUpperCase()}`, between),
  ]),
  ...[', ', ',', ' '].map((between) => [...bytes].join(between)),
  [...bytes].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join(''),
]
/** As shells, Python, git and mail programs write a text that has marks in it. */
const quotedForms = (text: string, bytes: Buffer): string[] => {
  const octal = (byte: number): string => `\\${byte.toString(8).padStart(3, '0')}`
  const mail = (kept: RegExp): string =>
    [...bytes]
      .map((byte) =>
        kept.test(String.fromCharCode(byte))
          ? String.fromCharCode(byte)
          : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`,
      )
      .join('')
  return [
    text.replaceAll("'", "'\\''"),
    text.replaceAll("'", `'"'"'`),
    text.replace(/[^\p{L}\p{N}_/.:=@%+,-]/gu, '\\$&'),
    text.replace(/[^\p{L}\p{N}_/.:-]/gu, '\\$&'),
    text.replace(/[\\"$`]/g, '\\$&'),
    text.replace(/[\\']/g, '\\$&'),
    text.replaceAll('\\', '\\\\'),
    [...bytes]
      .map((byte) => {
        if (byte < 0x20 || byte > 0x7e) return octal(byte)
        const character = String.fromCharCode(byte)
        return byte === 0x22 || byte === 0x5c ? `\\${character}` : character
      })
      .join(''),
    mail(/[!-<>-~]/),
    mail(/[ -<>-~]/),
  ]
}
const base32 = (bytes: Buffer): string => {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  return (bits.match(/.{5}/g) ?? [])
    .map((five) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.charAt(Number.parseInt(five, 2)))
    .join('')
}
const entities = (text: string): string[] => {
  const each = (form: (code: number) => string): string =>
    Array.from(text, (sign) => form(sign.codePointAt(0) ?? 0)).join('')
  return [
    each((code) => `&#${code};`),
    each((code) => `&#x${code.toString(16)};`),
    each((code) => `&#x${code.toString(16).toUpperCase()};`),
    each((code) => `\\u{${code.toString(16)}}`),
  ]
}
const eachUnit = (text: string, form: (hex: string) => string): string =>
  Array.from({ length: text.length }, (_, index) =>
    form(text.charCodeAt(index).toString(16).padStart(4, '0')),
  ).join('')
const inJson = (text: string): string => JSON.stringify(text).slice(1, -1)
const asciiJson = (text: string): string =>
  inJson(text).replace(/[\u007f-\uffff]/g, (unit) => eachUnit(unit, (hex) => `\\u${hex}`))
const html = (text: string, apostrophe: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", apostrophe)
/** encodeURIComponent, also for text with broken Unicode, and strict: the marks it leaves are encoded too. */
const percent = (text: string): string => encodeURIComponent(text.toWellFormed())
const percentStrict = (text: string): string =>
  percent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`)
const lowerEscapes = (text: string): string =>
  text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())
const upperEscapes = (text: string): string =>
  text.replace(/\\u[0-9a-f]{4}/g, (code) => `\\u${code.slice(2).toUpperCase()}`)

/**
 * Every form in which a secret may turn up in output: as it is, base64 and base64url at all three alignments, hex,
 * percent encoding of several strictnesses, JSON escapes (also twice), HTML entities, UTF-16, quotes of shells, Python,
 * git and mail, lists of bytes as they are printed, base32, and without its white space.
 */
export function formsOf(secret: string): string[] {
  const plain = new Set([secret, secret.trim(), secret.replace(/\s+/g, '')])
  for (const line of secret.split(/[\r\n]+/))
    if (line.trim().length >= minFormLength) plain.add(line.trim())
  const forms = new Set<string>()
  for (const text of plain) {
    if (text.length < minSecretLength) continue
    forms.add(text)
    const bytes = Buffer.from(text)
    const json = inJson(text)
    const base64 = base64Forms(bytes)
    const encoded = [
      ...base64,
      ...brokenBase64(bytes),
      ...base64.flatMap((inner) => [
        percent(inner),
        lowerEscapes(percent(inner)),
        inner.replaceAll('/', '\\/'),
      ]),
      // Once more, as some stores keep it, and of UTF-16, as some shells want it.
      ...base64.flatMap((inner) => base64Forms(Buffer.from(inner))),
      ...base64Forms(Buffer.from(text, 'utf16le')),
      base32(bytes),
      base32(bytes).toLowerCase(),
      ...listedBytes(bytes),
      ...quotedForms(text, bytes),
      ...entities(text),
      bytes.toString('hex'),
      bytes.toString('hex').toUpperCase(),
      eachByte(bytes, (hex) => `\\x${hex}`),
      eachByte(bytes, (hex) => `\\x${hex.toUpperCase()}`),
      percent(text),
      percentStrict(text),
      lowerEscapes(percent(text)),
      lowerEscapes(percentStrict(text)),
      encodeURI(text.toWellFormed()),
      percentStrict(text).replaceAll('%20', '+'),
      percent(percent(text)),
      eachByte(bytes, (hex) => `%${hex.toUpperCase()}`),
      eachByte(bytes, (hex) => `%${hex}`),
      json,
      asciiJson(text),
      upperEscapes(asciiJson(text)),
      inJson(json),
      asciiJson(json),
      json.replaceAll('/', '\\/'),
      eachUnit(text, (hex) => `\\u${hex}`),
      eachUnit(text, (hex) => `\\u${hex.toUpperCase()}`),
      html(text, '&#39;'),
      html(text, '&#x27;'),
      html(text, '&apos;'),
      html(html(text, '&#39;'), '&#39;'),
      Buffer.from(text, 'utf16le').toString('latin1').replace(/\0$/, ''),
    ]
    for (const form of encoded) if (form.length >= minFormLength) forms.add(form)
  }
  return [...forms]
}

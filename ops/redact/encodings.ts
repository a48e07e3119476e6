/** Shortest secret that can be kept out of a text without tearing everything else apart, in characters. */
export const minSecretLength = 4
/** Shortest encoded form that is looked for: anything shorter is found by accident all over a log. */
const minFormLength = 8

const base64Alphabet = (text: string, url: boolean): string => (url ? text.replaceAll('+', '-').replaceAll('/', '_') : text)

/** The characters of base64 that depend on these bytes alone, for each of the three places they can have in a group. */
function base64Forms(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64')
    const first = Math.ceil((offset * 8) / 6)
    const last = Math.floor(((offset + bytes.length) * 8) / 6)
    const inner = encoded.slice(first, last)
    return [inner, base64Alphabet(inner, true)]
  })
}

const eachByte = (bytes: Buffer, form: (hex: string) => string): string => [...bytes].map((byte) => form(byte.toString(16).padStart(2, '0'))).join('')
const eachUnit = (text: string, form: (hex: string) => string): string => Array.from({ length: text.length }, (_, index) => form(text.charCodeAt(index).toString(16).padStart(4, '0'))).join('')
const inJson = (text: string): string => JSON.stringify(text).slice(1, -1)
const asciiJson = (text: string): string => inJson(text).replace(/[\u007f-\uffff]/g, (unit) => eachUnit(unit, (hex) => `\\u${hex}`))
const html = (text: string, apostrophe: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", apostrophe)
/** encodeURIComponent, also for text with broken Unicode, and strict: the marks it leaves are encoded too. */
const percent = (text: string): string => encodeURIComponent(text.toWellFormed())
const percentStrict = (text: string): string => percent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`)
const lowerEscapes = (text: string): string => text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())
const upperEscapes = (text: string): string => text.replace(/\\u[0-9a-f]{4}/g, (code) => `\\u${code.slice(2).toUpperCase()}`)

/**
 * Every form in which a secret may turn up in output: as it is, base64 and base64url at all three alignments, hex, percent
 * encoding of several strictnesses, JSON escapes (also twice), HTML entities, UTF-16, and without its white space.
 */
export function formsOf(secret: string): string[] {
  const plain = new Set([secret, secret.trim(), secret.replace(/\s+/g, '')])
  for (const line of secret.split(/[\r\n]+/)) if (line.trim().length >= minFormLength) plain.add(line.trim())
  const forms = new Set<string>()
  for (const text of plain) {
    if (text.length < minSecretLength) continue
    forms.add(text)
    const bytes = Buffer.from(text)
    const json = inJson(text)
    const encoded = [
      ...base64Forms(bytes),
      bytes.toString('hex'), bytes.toString('hex').toUpperCase(), eachByte(bytes, (hex) => `\\x${hex}`), eachByte(bytes, (hex) => `\\x${hex.toUpperCase()}`),
      percent(text), percentStrict(text), lowerEscapes(percent(text)), lowerEscapes(percentStrict(text)), encodeURI(text.toWellFormed()), percentStrict(text).replaceAll('%20', '+'),
      percent(percent(text)), eachByte(bytes, (hex) => `%${hex.toUpperCase()}`), eachByte(bytes, (hex) => `%${hex}`),
      json, asciiJson(text), upperEscapes(asciiJson(text)), inJson(json), asciiJson(json), json.replaceAll('/', '\\/'), eachUnit(text, (hex) => `\\u${hex}`), eachUnit(text, (hex) => `\\u${hex.toUpperCase()}`),
      html(text, '&#39;'), html(text, '&#x27;'), html(text, '&apos;'), html(html(text, '&#39;'), '&#39;'),
      Buffer.from(text, 'utf16le').toString('latin1').replace(/\0$/, ''),
    ]
    for (const form of encoded) if (form.length >= minFormLength) forms.add(form)
  }
  return [...forms]
}

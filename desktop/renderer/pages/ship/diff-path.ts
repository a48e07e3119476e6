/** The path of a file as a diff of git spells it: a tab after a name with a space, C escapes after a quote. */

const escapes: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  t: 9,
  n: 10,
  v: 11,
  f: 12,
  r: 13,
  '"': 34,
  '\\': 92,
}

/** @param path as the parser gives it: of a quoted name it keeps the slash after the prefix and the last quote */
export function plainPath(path: string): string {
  const name = path.replace(/\t$/, '')
  if (!name.startsWith('/') || !name.endsWith('"')) return name
  const bytes: number[] = []
  const quoted = name.slice(1, -1)
  for (const [, octal, letter, plain] of quoted.matchAll(/\\([0-7]{3})|\\(.)|([^\\]+)/gs)) {
    if (octal !== undefined) bytes.push(Number.parseInt(octal, 8))
    else if (letter !== undefined) bytes.push(escapes[letter] ?? letter.charCodeAt(0))
    else if (plain !== undefined) bytes.push(...new TextEncoder().encode(plain))
  }
  return new TextDecoder().decode(new Uint8Array(bytes))
}

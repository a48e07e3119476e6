import { describe, expect, it } from 'vitest'
import { OutputReader } from '#ops/base/process/output-reader'

/** What a reader gives out of these pieces. @param follows for each piece; default: none is followed */
function linesOf(pieces: readonly string[], follows = (_at: number): boolean => false): string[] {
  const lines: string[] = []
  let at = 0
  const reader = new OutputReader({
    onLine: (text) => lines.push(text),
    follows: () => follows(at),
  })
  for (const piece of pieces) {
    reader.push(Buffer.from(piece))
    at += 1
  }
  reader.end()
  return lines
}

const fillLine = 'a line of some words, as programs print them. '.padEnd(63, '.')
const filler = `${fillLine}\n`.repeat(1024)

describe('H7 output that nobody follows', () => {
  it('is not read whole: only its end is, from a whole line on', () => {
    const lines = linesOf([...Array.from({ length: 200 }, () => filler), 'the cut l', 'ine\nend\n'])
    expect(lines.length).toBeLessThan(3000)
    expect(lines.slice(-2)).toEqual(['the cut line', 'end'])
    expect(new Set(lines.slice(0, -2))).toEqual(new Set([fillLine]))
  })

  it('gives out nothing of a line or a key whose beginning was left out', () => {
    const body = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj'
    const key = `-----BEGIN PRIVATE KEY-----\n${`${body}\n`.repeat(10)}`
    const rest = `${`${body}\n`.repeat(10)}-----END PRIVATE KEY-----\nafter\n${filler}end\n`
    const lines = linesOf([filler + key, `half a token ${body}`, `${body}\n${rest}`])
    expect(lines.join('\n')).not.toContain(body.slice(0, 20))
    expect(lines).toContain('after')
    expect(lines.at(-1)).toBe('end')
  })

  it('follows on what was followed, and loses nothing that is short', () => {
    expect(linesOf(['one\ntw', 'o\nthree\n', 'four'], (at) => at < 1)).toEqual([
      'one',
      'two',
      'three',
      'four',
    ])
  })
})

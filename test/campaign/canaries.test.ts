import { expect, it } from 'vitest'
import { createRedactor, marker } from '#ops/redact/redactor'
import { encodings, innerForm } from '../ops/redact/canaries.ts'
import { randomOf } from '../ops/proof/proof-bench.ts'
import { campaignSeeds, report } from './seeds.ts'

const alphabets = ['abcdefghijklmnopqrstuvwxyz0123456789', 'ABCDEFabcdef0123456789', 'aB3-_.~+/=%&?:@!$', '"\'\\<>&{}[] aZ9', 'äöü✓漢字𝄞ß€aZ']

it('twelve secrets of chance stay out of child output in every encoding, wherever the chunks are cut', () => {
  const seeds = campaignSeeds()
  let cases = 0
  const leaks: string[] = []
  for (const seed of seeds) {
    const random = randomOf(seed)
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
    const secrets = Array.from({ length: 12 }, () => {
      const alphabet = Array.from(pick(alphabets))
      return `k${Array.from({ length: 10 + Math.floor(random() * 60) }, () => pick(alphabet)).join('')}k`
    })
    const redactor = createRedactor({ secrets })
    for (const secret of secrets) {
      for (const [name, encode] of Object.entries(encodings)) {
        const forbidden = Buffer.from(innerForm(name, encode(secret)))
        const line = Buffer.from(`${'x'.repeat(Math.floor(random() * 30))} ${encode(secret)} tail\n`)
        const bytes = redactor.bytes()
        const out: Buffer[] = []
        for (let at = 0; at < line.length;) {
          const next = at + 1 + Math.floor(random() * 9)
          out.push(bytes.push(line.subarray(at, next)))
          at = next
        }
        out.push(bytes.end())
        const text = Buffer.concat(out)
        cases += 1
        if (text.includes(forbidden) || !text.includes(marker)) leaks.push(`seed ${seed}, ${name}: ${JSON.stringify(secret)} → ${text.toString()}`)
        if (redactor.text(text.toString()) !== text.toString()) leaks.push(`seed ${seed}, ${name}: not the same when redacted again: ${text.toString()}`)
      }
    }
  }
  report('canaries', seeds, cases, leaks.length)
  expect(leaks.slice(0, 5)).toEqual([])
})

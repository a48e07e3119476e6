import { expect, it } from 'vitest'
import { createRedactor, marker } from '#ops/base/redact/redactor'
import { knowSecrets } from '#ops/base/redact/redaction'
import { encodings, innerForm, secretsOf } from '../ops/base/redact/canaries.ts'
import { randomOf } from '../ops/core/proof/proof-bench.ts'
import { throughSinks } from '../support/secret-sinks.ts'
import { campaignSeeds, report } from './seeds.ts'

it('twelve random secrets stay out of child output in every encoding, wherever the chunks are cut', () => {
  const seeds = campaignSeeds()
  let cases = 0
  const leaks: string[] = []
  for (const seed of seeds) {
    const random = randomOf(seed)
    const secrets = secretsOf(random)
    const redactor = createRedactor({ secrets })
    for (const secret of secrets) {
      for (const [name, encode] of Object.entries(encodings)) {
        const forbidden = Buffer.from(innerForm(name, encode(secret)))
        const line = Buffer.from(
          `${'x'.repeat(Math.floor(random() * 30))} ${encode(secret)} tail\n`,
        )
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
        if (text.includes(forbidden) || !text.includes(marker))
          leaks.push(`seed ${seed}, ${name}: ${JSON.stringify(secret)} → ${text.toString()}`)
        if (redactor.text(text.toString()) !== text.toString())
          leaks.push(`seed ${seed}, ${name}: not the same when redacted again: ${text.toString()}`)
      }
    }
  }
  report('canaries', seeds, cases, leaks.length)
  expect(leaks.slice(0, 5)).toEqual([])
})

it('twelve random secrets stay out of everything that keeps or shows text', async () => {
  // Each is a child or two, and twelve more secrets known: fewer seeds than where one function is asked.
  const seeds = campaignSeeds().slice(0, 25)
  let cases = 0
  const leaks: string[] = []
  for (const seed of seeds) {
    const secrets = secretsOf(randomOf(seed))
    knowSecrets(secrets)
    const sinks = await throughSinks(
      secrets.flatMap((secret) => Object.values(encodings).map((encode) => encode(secret))),
    )
    for (const [sink, text] of Object.entries(sinks)) {
      expect(text, sink).toContain(marker)
      for (const secret of secrets) {
        for (const [name, encode] of Object.entries(encodings)) {
          cases += 1
          const form = innerForm(name, encode(secret))
          if (text.includes(form) || text.includes(Buffer.from(form).toString('latin1')))
            leaks.push(`seed ${seed}, ${sink}, ${name}: ${JSON.stringify(secret)}`)
        }
      }
    }
  }
  report('canaries through the sinks', seeds, cases, leaks.length)
  expect(leaks.slice(0, 5)).toEqual([])
})

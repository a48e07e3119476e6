import { expect, it } from 'vitest'
import { knowSecrets } from '#ops/base/redact/redaction'
import { marker } from '#ops/base/redact/redactor'
import { randomOf } from '../../core/proof/proof-bench.ts'
import { encodings, innerForm, secretsOf } from './canaries.ts'
import { throughSinks } from '../../../support/secret-sinks.ts'

it.each([4711, 4808])(
  'random secrets in eight encodings stay out of everything that keeps or shows text (seed %i)',
  async (seed) => {
    const secrets = secretsOf(randomOf(seed))
    knowSecrets(secrets)
    const sinks = await throughSinks(
      secrets.flatMap((secret) => Object.values(encodings).map((encode) => encode(secret))),
    )
    expect(Object.keys(sinks)).toHaveLength(9)
    const leaks = Object.entries(sinks).flatMap(([sink, text]) => {
      expect(text, sink).toContain(marker)
      const forms = secrets.flatMap((secret) =>
        Object.entries(encodings).map(([name, encode]) => innerForm(name, encode(secret))),
      )
      return forms
        .filter(
          (form) => text.includes(form) || text.includes(Buffer.from(form).toString('latin1')),
        )
        .map((form) => `${sink}: ${form}`)
    })
    expect(leaks).toEqual([])
  },
)

import { randomBytes } from 'node:crypto'
import { newKeyPem } from '#ops/core/trust/signing-key'
import { createRedactor } from '#ops/base/redact/redactor'
import type { Attempt, Group, Plant } from './violation.ts'

/** Secrets that are made for this one time; they open nothing. */
function secrets() {
  const token = randomBytes(24).toString('hex')
  const password = randomBytes(12).toString('hex')
  const key = newKeyPem()
  return [
    ['loaded_token', 'a loaded token in a line of a log', token, `sent ${token} to hostd`],
    [
      'loaded_token_base64',
      'a loaded token in base64',
      token,
      `Basic ${Buffer.from(token).toString('base64')}`,
    ],
    [
      'password_in_url',
      'a password in an address',
      password,
      `fetching https://deploy:${password}@example.org/app.git`,
    ],
    ['bearer', 'a bearer token in a header', password, `authorization: Bearer ${password}`],
    ['private_key', 'a private key', key, key],
  ] as const
}

/** Every form of it that a person could still use. */
const traces = (secret: string): string[] => [
  secret,
  Buffer.from(secret).toString('base64'),
  ...secret.split('\n').filter((line) => line.length >= 20 && !line.startsWith('-----')),
]

/** What must not stand in a log. */
export const redactionPlants: Group = {
  name: 'redaction',
  guard: 'The redaction of secrets',
  make: () => {
    const planted = secrets()
    const redactor = createRedactor({ secrets: [planted[0][2]] })
    const asked =
      (secret: string, text: string): Attempt =>
      () => {
        const shown = redactor.text(text)
        const left = traces(secret).some((form) => shown.includes(form))
        return Promise.resolve(
          left || shown === text
            ? { accepted: true, said: left ? 'it can still be read' : 'the text was left as it is' }
            : { accepted: false, refusal: 'redacted', said: 'it was taken out' },
        )
      }
    const plants = planted.map(([name, what, secret, text]): Plant => ({
      name,
      planted: what,
      expected: 'redacted',
      control: asked(
        secret,
        'deployed 4 services in 12 s, commit 0f3a9c, see https://example.org/runs',
      ),
      plant: asked(secret, text),
    }))
    return Promise.resolve({ plants })
  },
}

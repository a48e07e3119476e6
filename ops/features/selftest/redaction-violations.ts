import { randomBytes } from 'node:crypto'
import { newKeyPem } from '#ops/core/trust/signing-key'
import { createRedactor } from '#ops/base/redact/redactor'
import type { Attempt, ViolationGroup, Violation } from './violation.ts'

/** Secrets that are made for this self-test; they open nothing. */
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

/** Every form of a secret that a person could still use. */
const traces = (secret: string): string[] => [
  secret,
  Buffer.from(secret).toString('base64'),
  ...secret.split('\n').filter((line) => line.length >= 20 && !line.startsWith('-----')),
]

/** Texts that must not appear in a log. */
export const redactionViolations: ViolationGroup = {
  name: 'redaction',
  guard: 'The redaction of secrets',
  prepare: () => {
    const cases = secrets()
    const redactor = createRedactor({ secrets: [cases[0][2]] })
    const redacted =
      (secret: string, text: string): Attempt =>
      () => {
        const shown = redactor.text(text)
        const left = traces(secret).some((form) => shown.includes(form))
        return Promise.resolve(
          left || shown === text
            ? {
                accepted: true,
                said: left ? 'the secret can still be read' : 'the text is unchanged',
              }
            : { accepted: false, refusal: 'redacted', said: 'it was removed' },
        )
      }
    const violations = cases.map(([name, what, secret, text]): Violation => ({
      name,
      what: what,
      expected: 'redacted',
      control: redacted(
        secret,
        'deployed 4 services in 12 s, commit 0f3a9c, see https://example.org/runs',
      ),
      attempt: redacted(secret, text),
    }))
    return Promise.resolve({ violations })
  },
}

import { canaries, encodings, innerForm } from '../ops/base/redact/canaries.ts'

/** Every encoded form of the canaries that must be in nothing that is kept or shown. */
export const forbiddenForms: readonly {
  readonly secret: number
  readonly encoding: string
  readonly form: string
}[] = canaries.flatMap((canary, secret) =>
  Object.entries(encodings).map(([encoding, encode]) => ({
    secret,
    encoding,
    form: innerForm(encoding, encode(canary)),
  })),
)

/** Where a text holds a canary in any encoding. @param text bytes as latin1, or a string as it is */
export function leaksIn(name: string, text: string): string[] {
  return forbiddenForms
    .filter(
      ({ form }) => text.includes(form) || text.includes(Buffer.from(form).toString('latin1')),
    )
    .map(({ secret, encoding }) => `${name}: canary ${secret} in ${encoding}`)
}

/** Every canary in every encoding, as a program would print it. */
export const encodedCanaries: readonly string[] = canaries.flatMap((canary) =>
  Object.values(encodings).map((encode) => encode(canary)),
)

/** Files of a host's connectors that hold the canaries, as a host would load them. */
export const canaryFiles = (): Record<string, string> =>
  Object.fromEntries(
    canaries.map((canary, index) => [
      `canary_${index}.json`,
      JSON.stringify({
        cookies: [{ name: 'sid', value: canary }],
        auth_uri: 'https://accounts.example.test/o/oauth2/auth',
      }),
    ]),
  )

import { Problem } from '#shared/errors'
import { hostAddressProblem } from '#shared/net/host-address'

/**
 * Checks the address of a host.
 * @param options `tls: false` only from the settings of a host that has it: then plain http is accepted
 * @returns its origin, for example `https://aiops-1.tail1234.ts.net`
 * @throws {Problem} `setting_invalid`, naming the field
 */
export function hostOrigin(
  text: string,
  options: { readonly tls?: false | undefined } = {},
): string {
  const why = hostAddressProblem(text, options)
  if (why !== null)
    throw new Problem(
      'setting_invalid',
      `The address ${JSON.stringify(text)} is not accepted. ${why}. The settings are unchanged.`,
    )
  return new URL(text).origin
}

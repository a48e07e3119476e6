import { Problem } from '#shared/errors'
import { hostAddressProblem } from '#shared/net/host-address'

/**
 * Checks the address of a host.
 * @returns its origin, for example `https://aiops-1.tail1234.ts.net`
 * @throws {Problem} `setting_invalid`, naming the field
 */
export function hostOrigin(text: string): string {
  const why = hostAddressProblem(text)
  if (why !== null)
    throw new Problem(
      'setting_invalid',
      `The address ${JSON.stringify(text)} is not accepted. ${why}. The settings are unchanged.`,
    )
  return new URL(text).origin
}

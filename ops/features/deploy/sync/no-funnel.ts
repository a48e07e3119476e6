import { Problem } from '#shared/errors'
import { funnelsOf } from '#ops/platform/net/serve-config'
import { readServe } from '#ops/platform/tailnet/serve'

/**
 * A host that Tailscale Funnel opens to the public internet is not deployed to. Where Tailscale does not answer, the
 * port audit of the verification judges.
 * @throws {Problem} `funnel_on`, before anything was changed
 */
export async function requireNoFunnel(signal: AbortSignal): Promise<void> {
  const served = await readServe(signal)
  if (served.kind !== 'answer') return
  const open = funnelsOf(served.value)
  if (open.length > 0)
    throw new Problem(
      'funnel_on',
      `Tailscale Funnel opens ${open.join(', ')} to the public internet, so nothing is deployed here. ` +
        'Once it is off, the next deploy goes on. Nothing was changed.',
    )
}

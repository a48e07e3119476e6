import { Problem } from '#shared/errors'
import { funnelsOf } from '#ops/platform/net/serve-config'
import { tailscaleInDeployMs } from '#ops/platform/tailnet/client'
import { readServe } from '#ops/platform/tailnet/serve'

/**
 * A host that Tailscale Funnel opens to the public internet is not deployed to, nor one where Tailscale runs and does
 * not say what it serves.
 * @throws {Problem} `funnel_on`, `funnel_unknown`, before anything was changed
 */
export async function requireNoFunnel(signal: AbortSignal): Promise<void> {
  const served = await readServe(signal, tailscaleInDeployMs)
  if (served.kind === 'not_installed' || served.kind === 'daemon_down') return
  if (served.kind !== 'answer')
    throw new Problem(
      'funnel_unknown',
      `It is not known whether Tailscale Funnel opens this host to the public internet: ${served.why} ` +
        'So nothing is deployed here. Once Tailscale answers, the next deploy goes on. Nothing was changed.',
    )
  const open = funnelsOf(served.value)
  if (open.length > 0)
    throw new Problem(
      'funnel_on',
      `Tailscale Funnel opens ${open.join(', ')} to the public internet, so nothing is deployed here. ` +
        'Once it is off, the next deploy goes on. Nothing was changed.',
    )
}

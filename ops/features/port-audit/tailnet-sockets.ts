// What listens on the tailnet addresses of this host.
import { basename } from 'node:path'
import type { TailnetState } from '#shared/tailnet/state'
import type { TailscaleStatus } from '#shared/tailnet/status'
import { endpointName, isSameAddress, isTailnetAddress } from '#ops/platform/net/addresses'
import type { Exposure } from '#ops/platform/net/exposure'
import { servedPorts, type ServeConfig } from '#ops/platform/net/serve-config'
import type { Answer, Tailnet } from '#ops/platform/tailnet/client'
import { isEphemeral, isSystemProgram, type OwnedSocket } from './host-sockets.ts'

/** What tailscaled itself opens on these addresses. */
export interface TailnetListeners {
  /** null when Tailscale gives no status: then every address in the ranges of tailnets is judged. */
  readonly status: Pick<TailscaleStatus, 'TailscaleIPs' | 'Self'> | null
  readonly served: ServeConfig
  /** `protocol port` of what Docker publishes; ports:docker judges it. */
  readonly published: ReadonlySet<string>
  readonly isSystem?: (program: string) => boolean
}

const unconnected: readonly (TailnetState | 'not_installed' | 'daemon_down')[] = [
  'not_installed',
  'daemon_down',
  'stopped',
  'logged_out',
]

/**
 * Can it be said what the tailnet reaches on this host?
 * @returns the sentence of a check that found nothing open, or why it is not known
 */
export function tailnetKnowledge(
  tailnet: Tailnet,
  served: Answer<ServeConfig>,
): { readonly closed: string } | { readonly unknown: string } {
  if (unconnected.some((kind) => kind === tailnet.kind))
    return { closed: 'Tailscale is not connected, so nothing is reached through the tailnet' }
  if (!('status' in tailnet)) return { unknown: tailnet.why }
  if (tailnet.kind !== 'running')
    return { unknown: `The state of Tailscale is ${tailnet.kind.replaceAll('_', ' ')}.` }
  if (served.kind !== 'answer') return { unknown: served.why }
  return { closed: 'only Serve and the peer API of Tailscale listen on the tailnet addresses' }
}

/** Sockets bound to a tailnet address, except the listeners of Serve and the peer API, which belong to tailscaled. */
export function tailnetExposures(
  sockets: readonly OwnedSocket[],
  { status, served, published, isSystem = isSystemProgram }: TailnetListeners,
): Exposure[] {
  const serve = new Set(servedPorts(served))
  const peerApi = (status?.Self?.PeerAPIURL ?? []).flatMap((url) =>
    URL.canParse(url) ? [new URL(url)] : [],
  )
  const isExpected = ({ protocol, address, port, owners }: OwnedSocket): boolean => {
    const ofDaemon =
      owners.length > 0 &&
      owners.every(
        ({ program, container }) =>
          program !== null &&
          container === null &&
          basename(program) === 'tailscaled' &&
          isSystem(program),
      )
    if (ofDaemon && protocol === 'tcp')
      return (
        serve.has(port) ||
        peerApi.some(
          (url) =>
            Number(url.port) === port &&
            isSameAddress(url.hostname.replaceAll(/[[\]]/g, ''), address),
        )
      )
    return (
      owners.length > 0 &&
      owners.every(({ name }) => name === 'docker-proxy') &&
      published.has(`${protocol} ${port}`)
    )
  }
  // A Tailscale that is not connected may name no address.
  const isOwn = ({ address }: OwnedSocket): boolean =>
    status === null || status.TailscaleIPs.length === 0
      ? isTailnetAddress(address)
      : status.TailscaleIPs.some((own) => isSameAddress(own, address))
  return sockets
    .filter(isOwn)
    .filter((socket) => !isEphemeral(socket) && !isExpected(socket))
    .map(({ protocol, address, port, owners: [owner] }): Exposure => {
      const subject = endpointName(protocol, address, port)
      const service = owner?.name ?? 'the kernel, or a process that cannot be seen'
      return {
        code: 'tailnet_socket',
        service,
        subject,
        detail: `${service} listens on ${subject}, which the whole tailnet may reach`,
        pointer: owner?.program ?? 'kernel socket table',
        port: { protocol, number: port },
      }
    })
}

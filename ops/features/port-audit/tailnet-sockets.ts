// What listens on the tailnet addresses of this host.
import { basename } from 'node:path'
import type { TailscaleStatus } from '#shared/tailnet/status'
import { endpointName, isSameAddress } from '#ops/platform/net/addresses'
import type { Exposure } from '#ops/platform/net/exposure'
import { servedPorts, type ServeConfig } from '#ops/platform/net/serve-config'
import { isEphemeral, isSystemProgram, type OwnedSocket } from './host-sockets.ts'

/** What tailscaled itself opens on these addresses. */
export interface TailnetListeners {
  readonly status: Pick<TailscaleStatus, 'TailscaleIPs' | 'Self'>
  readonly served: ServeConfig
  /** `protocol port` of what Docker publishes; ports:docker judges it. */
  readonly published: ReadonlySet<string>
  readonly isSystem?: (program: string) => boolean
}

/** Sockets bound to a tailnet address, except the listeners of Serve and the peer API, which belong to tailscaled. */
export function tailnetExposures(
  sockets: readonly OwnedSocket[],
  { status, served, published, isSystem = isSystemProgram }: TailnetListeners,
): Exposure[] {
  const serve = new Set(servedPorts(served))
  const peerApi = (status.Self?.PeerAPIURL ?? []).flatMap((url) =>
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
  return sockets
    .filter(({ address }) => status.TailscaleIPs.some((own) => isSameAddress(own, address)))
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

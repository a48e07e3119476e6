// Who can reach an address, and how an endpoint is written.
import ipaddr from 'ipaddr.js'

/** Only this machine can reach it: 127.0.0.0/8, ::1 and their IPv4-mapped forms. */
export const isLoopback = (address: string): boolean =>
  ipaddr.process(address).range() === 'loopback'

const tailnet = [
  ipaddr.parseCIDR('100.64.0.0/10'),
  ipaddr.parseCIDR('fd7a:115c:a1e0::/48'),
] as const

/** In the ranges of tailnets: 100.64.0.0/10, fd7a:115c:a1e0::/48. What is not an address is in none. */
export function isTailnetAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.process(address)
  return tailnet.some(
    ([network, bits]) => network.kind() === parsed.kind() && parsed.match(network, bits),
  )
}

/** Loopback, or an address of a tailnet. What is not an address is neither. */
export const isPrivateAddress = (address: string): boolean =>
  ipaddr.isValid(address) && (isLoopback(address) || isTailnetAddress(address))

/** The same address, however it is written. What is not an address equals none. */
export const isSameAddress = (one: string, other: string): boolean =>
  ipaddr.isValid(one) &&
  ipaddr.isValid(other) &&
  ipaddr.process(one).toString() === ipaddr.process(other).toString()

/** The address as a URL and a Host header write it: IPv6 in brackets (RFC 3986 3.2.2). */
export const inUrl = (address: string): string => (address.includes(':') ? `[${address}]` : address)

export const endpointName = (protocol: string, address: string, port: number | string): string =>
  `${protocol} ${inUrl(address)}:${port}`

// A Tailscale of this machine that does not listen where HQ asks: from a snap, in a container, or with another socket.
import os from 'node:os'
import { isTailnetAddress } from '#ops/platform/net/addresses'
import { programName } from '#ops/platform/net/sockets'
import { processIds } from '#ops/base/process/process-stat'

/** Tailscale gives itself single addresses. A provider may assign 100.64.0.0/10 too, but as part of a network. */
const isSingle = (cidr: string | null): boolean => /\/(?:32|128)$/.test(cidr ?? '')

/**
 * What shows that a Tailscale runs on this machine, for a message.
 * @returns null when nothing does
 */
export function tailscaleElsewhere(): string | null {
  const pid = processIds().find((each) => programName(each) === 'tailscaled')
  if (pid !== undefined) return `process ${pid} (tailscaled)`
  for (const [name, addresses = []] of Object.entries(os.networkInterfaces())) {
    if (/^tailscale\d/.test(name)) return `the network interface ${name}`
    const found = addresses.find(({ address, cidr }) => isTailnetAddress(address) && isSingle(cidr))
    if (found) return `the address ${found.address} of the network interface ${name}`
  }
  return null
}

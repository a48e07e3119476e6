// A Tailscale of this machine that does not listen where HQ asks: from a snap, with another socket, or in a container
// that shares the network of the machine.
import { existsSync, readdirSync, readlinkSync } from 'node:fs'
import os from 'node:os'
import { hasCode } from '#shared/system-error'
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
  const pid = processIds().find((each) => programName(each) === 'tailscaled' && isOurs(each))
  if (pid !== undefined) return `process ${pid} (tailscaled)`
  const interfaces = addressesByInterface()
  const own = [...Object.keys(interfaces), ...interfaceNames()].find((name) =>
    /^tailscale\d/.test(name),
  )
  if (own !== undefined) return `the network interface ${own}`
  for (const [name, addresses = []] of Object.entries(interfaces)) {
    const found = addresses.find(({ address, cidr }) => isTailnetAddress(address) && isSingle(cidr))
    if (found) return `the address ${found.address} of the network interface ${name}`
  }
  return null
}

/** One in a network of its own, as in a container, serves that network and not this machine. */
function isOurs(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`) === readlinkSync('/proc/self/ns/net')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false // it has ended
    if (hasCode(error, 'EACCES', 'EPERM')) return true // of another account: not known, so it counts
    throw error
  }
}

/** The kernel's list, which needs no netlink; an interface without an address is in it too. */
const listed = '/sys/class/net'
const interfaceNames = (): string[] => (existsSync(listed) ? readdirSync(listed) : [])

/** None in a unit that may not use netlink: that of HQ's own upgrade, which judges nothing by them. */
function addressesByInterface(): ReturnType<typeof os.networkInterfaces> {
  try {
    return os.networkInterfaces()
  } catch (error) {
    if (isUnsupportedFamily(error)) return {}
    throw error
  }
}

const isUnsupportedFamily = (error: unknown): boolean =>
  error instanceof Error &&
  'errno' in error &&
  Math.abs(Number(error.errno)) === os.constants.errno.EAFNOSUPPORT

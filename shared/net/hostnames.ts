/**
 * Whether the host of a web address is this machine, so that plain http does not leave it.
 * @param hostname as `URL.hostname` gives it: an IPv6 address stands in brackets
 */
export const isLoopbackHostname = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname)

/** Is `host` one of `hosts`, or below one of them? */
export const isHostOf = (host: string, hosts: readonly string[]): boolean =>
  hosts.some((each) => host === each || (host.endsWith(`.${each}`) && !/^[\d.]+$/.test(each)))

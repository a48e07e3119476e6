import { lstatSync } from 'node:fs'
import { dirname } from 'node:path'
import { fail, pass, skip, warn, type Finding } from '#ops/core/checks/check'
import type { HostCheck } from '#ops/core/checks/host-check'
import { readPublished, type Published } from '#ops/core/host-state/published'
import type { ServeConfig } from '#ops/platform/net/serve-config'
import { readTailnet, tailscaleMs } from '#ops/platform/tailnet/client'
import { atPort, readServe } from '#ops/platform/tailnet/serve'
import { nodeName } from '#shared/tailnet/status'
import { waitMs } from './tailnet.ts'

/** HQ reaches hostd through Serve. Its configuration can be lost, or changed by somebody else. */
export const publishedCheck: HostCheck = {
  name: 'published',
  title: 'Published to the tailnet',
  description: 'Tailscale Serve offers hostd and the console as the installation published them.',
  remedies: ['publish_again', 'join_tailnet'],
  limitMs: tailscaleMs + 1000,
  run: async ({ paths, settings, deployRunId }, signal) => {
    const limitMs = waitMs(deployRunId)
    const [found, served] = await Promise.all([
      readTailnet(signal, limitMs),
      readServe(signal, limitMs),
    ])
    if (found.kind === 'not_installed') return skip('Tailscale is not installed.')
    if (found.kind !== 'running' || found.status.Self === null)
      return skip('Tailscale is not connected; the check of the tailnet says more.')
    if (settings.launcher === 'process')
      return skip('hostd is not installed as a service, so it is not published to the tailnet.')
    if (served.kind !== 'answer')
      return fail(`It is not known what Tailscale serves: ${served.why}`, 'join_tailnet')
    const name = nodeName(found.status.Self)
    const open = othersMayOpen(dirname(paths.tailnetSocket))
    return open === null
      ? judgePublished(readPublished(paths), served.value, name)
      : fail(open, 'publish_again')
  },
}

/** Who may open the folder can say who is calling. */
function othersMayOpen(folder: string): string | null {
  const found = lstatSync(folder, { throwIfNoEntry: false })
  if (found === undefined) return null // then the socket is missing too, which is what the request says
  if (found.isDirectory() && found.uid === 0 && (found.mode & 0o077) === 0) return null
  return `${folder} may be opened by others than root, who could then say they are anybody.`
}

/** @param name full name of this host in the tailnet */
export function judgePublished(
  record: Published | undefined,
  config: ServeConfig,
  name: string,
): Finding {
  if (record === undefined)
    return warn('hostd and the console are not published to the tailnet.', 'publish_again')
  if (record.name !== name)
    return fail(
      `This host is ${name} in the tailnet now, and was published as ${record.name}: HQ does not find it.`,
      'publish_again',
    )
  const lost = record.entries.filter((entry) => atPort(config, name, entry).kind !== 'same')
  const names = lost.map(({ port, target }) => `${target} at port ${port}`).join(' and ')
  if (lost.length > 0)
    return fail(
      `Tailscale Serve no longer offers ${names}: its configuration was lost or changed.`,
      'publish_again',
    )
  const ports = record.entries.map(({ scheme, port }) => `${scheme}://${name}:${port}`)
  return ports.length === 0
    ? warn('Other entries of Serve hold the ports of HQ, so nothing is published.', 'publish_again')
    : pass(`Serve offers ${ports.join(' and ')}`)
}

import { z } from 'zod'
import type { RemediationId } from '#shared/errors/remediations'
import { fail, pass, waited, warn, type Check, type Finding } from '#ops/core/checks/check'
import { inspect, requireDaemon, type Docker } from '#ops/platform/docker/engine-api'
import { containers, publishesOf, type Container } from '#ops/platform/docker/containers'
import { hostToolText } from '#ops/base/process/host-tool'
import {
  applyExceptions,
  isPrivateAddress,
  type Exposure,
  type ExposureExceptions,
  type Judged,
} from '#ops/platform/net/exposure'
import { judgeContainers } from '#ops/platform/net/host-docker'
import type { MountRules } from '#ops/platform/net/host-mounts'
import { reachableSockets, socketExposures } from './host-sockets.ts'
import { parseIptablesSave } from '#ops/platform/net/iptables-rules'
import { natExposures } from '#ops/platform/net/nat-rules'
import { parseNftRuleset } from '#ops/platform/net/nft-rules'
import { parseServeConfig, serveExposures } from '#ops/platform/net/serve-config'

export interface HostAudit {
  readonly docker: Docker
  readonly exceptions: ExposureExceptions
  readonly mounts: MountRules
  /** What Tailscale Serve may proxy to. */
  readonly serveTargets: readonly string[]
  /** Milliseconds for one check. */
  readonly limitMs?: number
}

const remedy = 'close_public_port'

function finding(
  { open, excused }: Judged,
  whenClosed: string,
  mends: RemediationId = remedy,
): Finding {
  const allowed = excused
    .map(({ exposure, reason }) => `; ${exposure.service}: ${exposure.detail}, allowed: ${reason}`)
    .join('')
  if (open.length > 0)
    return fail(
      `${open.map(({ service, detail }) => (detail.includes(service) ? detail : `${service}: ${detail}`)).join('; ')}${allowed}.`,
      mends,
    )
  return pass(`${whenClosed}${allowed}`)
}

/** Containers on the local network itself: no port of this host shows them. */
async function lanExposures(
  docker: Docker,
  running: readonly Container[],
  signal: AbortSignal,
): Promise<Exposure[]> {
  const ids = [
    ...new Set(
      running
        .flatMap(({ NetworkSettings }) =>
          Object.values(NetworkSettings.Networks).map(({ NetworkID }) => NetworkID),
        )
        .filter((id) => id !== ''),
    ),
  ]
  const networks = await inspect(
    docker,
    {
      kind: 'network',
      names: ids,
      schema: z.looseObject({ Id: z.string(), Name: z.string(), Driver: z.string() }),
    },
    signal,
  )
  return networks
    .filter(({ Driver }) => Driver === 'macvlan' || Driver === 'ipvlan')
    .flatMap(({ Id, Name, Driver }) =>
      running
        .filter(({ NetworkSettings }) =>
          Object.values(NetworkSettings.Networks).some(({ NetworkID }) => NetworkID === Id),
        )
        .map((each): Exposure => ({
          code: 'lan_network',
          service: each.Name.replace(/^\//, ''),
          subject: Driver,
          detail: `is on the local network itself by the ${Driver} network ${Name}`,
          pointer: `network ${Name}`,
        })),
    )
}

/** Rules of every packet filter there is: iptables in its two backends, for both families, and nftables. */
async function readNat(
  signal: AbortSignal,
): Promise<{ exposures: Exposure[]; read: string[]; missing: string[] }> {
  const saves = [
    'iptables-nft-save',
    'ip6tables-nft-save',
    'iptables-legacy-save',
    'ip6tables-legacy-save',
  ]
  const [texts, nft] = await Promise.all([
    Promise.all(saves.map((name) => hostToolText([name], signal))),
    hostToolText(['nft', '--json', 'list', 'ruleset'], signal),
  ])
  const exposures = texts.flatMap((text, i) =>
    text === null
      ? []
      : natExposures(parseIptablesSave(text, `${saves[i]?.replace('-save', '') ?? ''} `)),
  )
  if (nft !== null) exposures.push(...natExposures(parseNftRuleset(nft)))
  const read = saves.filter((_, i) => texts[i] !== null)
  return {
    exposures,
    read: [...read, ...(nft === null ? [] : ['nft'])],
    missing: [...(read.length === 0 ? ['iptables'] : []), ...(nft === null ? ['nftables'] : [])],
  }
}

/**
 * The port audit of a host that is HQ's own: everything on it that can be reached from outside loopback and the tailnet,
 * and every container that has power over the host.
 */
export function hostPortChecks({
  docker,
  exceptions,
  mounts,
  serveTargets,
  limitMs = 2000,
}: HostAudit): Check[] {
  // Asked once for all checks; each waits for the answer within its own limit, and nobody waits on after it.
  let asked: Promise<Container[]> | undefined
  const running = (): Promise<Container[]> => {
    asked ??= askDaemon()
    return asked
  }
  // Ended a little after the checks have given up, by the same clock: before that it would be told as a cancelled run.
  const askDaemon = async (): Promise<Container[]> => {
    const [late, answered] = [new AbortController(), new AbortController()]
    waited(limitMs + 100, answered.signal).then(
      () => late.abort(),
      () => undefined,
    ) // it was answered in time
    try {
      await requireDaemon(docker, late.signal)
      return await containers(docker, { signal: late.signal })
    } finally {
      answered.abort()
    }
  }
  const publishes = async (): Promise<Set<string>> =>
    new Set(
      (await running()).flatMap(publishesOf).map(({ protocol, port }) => `${protocol} ${port}`),
    )
  const check = (name: string, run: (signal: AbortSignal) => Promise<Finding>): Check => ({
    name,
    remedy,
    limitMs,
    run,
  })
  return [
    check('ports:sockets', async (signal) => {
      const known = await running()
      const nameOf = (id: string): string | null =>
        known.find(({ Id }) => Id === id)?.Name.replace(/^\//, '') ?? null
      const sockets = await reachableSockets(signal)
      return finding(
        applyExceptions(
          socketExposures(sockets, { published: await publishes(), nameOf }),
          exceptions,
        ),
        'no process listens where others than this machine and the tailnet could reach it',
      )
    }),
    check('ports:docker', async (signal) => {
      const known = await running()
      const { open, excused } = judgeContainers(known, exceptions, mounts)
      const lan = applyExceptions(await lanExposures(docker, known, signal), exceptions)
      return finding(
        { open: [...open, ...lan.open], excused: [...excused, ...lan.excused] },
        `${known.length} containers publish to loopback and the tailnet only, and none has power over the host`,
      )
    }),
    check('ports:nat', async (signal) => {
      const { exposures, read, missing } = await readNat(signal)
      if (read.length === 0)
        return fail(
          `The packet filter cannot be read: neither iptables nor nft is installed.`,
          'install_host_tools',
        )
      // Docker writes a rule for each address it publishes to everybody; that one is reported as what it is.
      const open = new Set(
        (await running())
          .flatMap(publishesOf)
          .filter(({ address }) => !isPrivateAddress(address))
          .map(({ protocol, port }) => `${protocol} ${port}`),
      )
      const own = exposures.filter(
        ({ port }) => port === undefined || !open.has(`${port.protocol} ${port.number}`),
      )
      const judged = finding(
        applyExceptions(own, exceptions),
        `no rule of ${read.join(', ')} opens a port`,
        'delete_nat_rule',
      )
      return judged.status === 'PASS' && missing.length > 0
        ? warn(
            `${judged.detail}; the rules of ${missing.join(' and ')} were not read: it is not installed`,
            'install_host_tools',
          )
        : judged
    }),
    check('ports:tailscale', async (signal) => {
      const [serve, funnel] = await Promise.all([
        hostToolText(['tailscale', 'serve', 'status', '--json'], signal),
        hostToolText(['tailscale', 'funnel', 'status', '--json'], signal),
      ])
      if (serve === null || funnel === null)
        return pass('Tailscale is not installed, so it serves nothing')
      const found = new Map(
        [serve, funnel]
          .flatMap((text) => serveExposures(parseServeConfig(text), serveTargets))
          .map((each) => [`${each.code} ${each.subject} ${each.pointer}`, each]),
      )
      return finding(
        applyExceptions([...found.values()], exceptions),
        `Serve offers ${serveTargets.join(' and ')} at most; Funnel is off; no foreground session`,
        'close_tailscale_serve',
      )
    }),
  ]
}

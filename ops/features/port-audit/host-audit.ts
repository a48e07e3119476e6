import { z } from 'zod'
import type { RemediationId } from '#shared/errors/remediations'
import { fail, pass, waitInSteps, warn, type Check, type Finding } from '#ops/core/checks/check'
import { inspect, requireDaemon, type Docker } from '#ops/platform/docker/engine-api'
import { containers, publishesOf, type Container } from '#ops/platform/docker/containers'
import { hostToolText } from '#ops/base/process/host-tool'
import {
  applyExceptions,
  type Exposure,
  type ExposureExceptions,
  type Judged,
} from '#ops/platform/net/exposure'
import { judgeContainers } from '#ops/platform/net/host-docker'
import type { MountRules } from '#ops/platform/net/host-mounts'
import { openSockets } from '#ops/platform/net/sockets'
import { ownerOf, reachableSockets, socketExposures } from './host-sockets.ts'
import { tailnetExposures, tailnetKnowledge } from './tailnet-sockets.ts'
import { parseIptablesSave } from '#ops/platform/net/iptables-rules'
import { natExposures } from '#ops/platform/net/nat-rules'
import { parseNftRuleset } from '#ops/platform/net/nft-rules'
import { serveExposures } from '#ops/platform/net/serve-config'
import type { HqTargets } from '#ops/platform/net/serve-target'
import { readTailnet, tailscaleInDeployMs, tailscaleMs } from '#ops/platform/tailnet/client'
import { readServe } from '#ops/platform/tailnet/serve'
import { isPrivateAddress } from '#ops/platform/net/addresses'

export interface HostAudit {
  readonly docker: Docker
  readonly exceptions: ExposureExceptions
  readonly mounts: MountRules
  /** What of HQ Tailscale Serve may proxy to. */
  readonly hq: HqTargets
  /** Milliseconds for one check. */
  readonly limitMs?: number
}

const remedy = 'close_public_port'

function finding(
  { open, excused }: Judged,
  whenClosed: string,
  remedyId: RemediationId = remedy,
): Finding {
  const allowed = excused
    .map(({ exposure, reason }) => `; ${exposure.service}: ${exposure.detail}, allowed: ${reason}`)
    .join('')
  if (open.length > 0) {
    const list = open.map(({ service, detail }) =>
      detail.includes(service) ? detail : `${service}: ${detail}`,
    )
    return fail(`${list.join('; ')}${allowed}.`, remedyId)
  }
  return pass(`${whenClosed}${allowed}`)
}

/** Containers with an address on the local network: no port of this host shows them. */
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
          detail: `is attached to the local network by the ${Driver} network ${Name}`,
          pointer: `network ${Name}`,
        })),
    )
}

/** Rules of every packet filter: iptables with its two backends, for both address families, and nftables. */
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
 * The port audit of a host that belongs to HQ: everything on it that can be reached from outside loopback and the
 * tailnet, and every container that has power over the host.
 */
export function hostPortChecks(audit: HostAudit): Check[] {
  const { limitMs = 2000 } = audit
  const running = containersOnce(audit.docker, limitMs)
  const check = (
    name: string,
    run: (audit: HostAudit, running: Running, signal: AbortSignal) => Promise<Finding>,
  ): Check => ({ name, remedy, limitMs, run: (signal) => run(audit, running, signal) })
  return [
    check('ports:sockets', auditSockets),
    check('ports:docker', auditContainers),
    check('ports:nat', auditNat),
    { ...check('ports:tailnet', auditTailnet), limitMs: Math.max(limitMs, 2 * tailscaleMs + 1000) },
    {
      ...check('ports:tailscale', auditTailscale),
      // More than Tailscale has for its answer, so that the reason is reported and not the limit.
      limitMs: Math.max(limitMs, tailscaleMs + 1000),
    },
  ]
}

type Running = () => Promise<Container[]>

/** Requests the containers once for all checks. Each check waits for them within its own limit. */
function containersOnce(docker: Docker, limitMs: number): Running {
  let requested: Promise<Container[]> | undefined
  return () => (requested ??= listContainers(docker, limitMs))
}

/**
 * Ends the request shortly after the checks have reached their limit, by the same clock. If it ended earlier, the
 * checks would report a cancelled run.
 */
async function listContainers(docker: Docker, limitMs: number): Promise<Container[]> {
  const [late, answered] = [new AbortController(), new AbortController()]
  waitInSteps(limitMs + 100, answered.signal).then(
    () => late.abort(),
    () => undefined,
  ) // the answer came in time
  try {
    await requireDaemon(docker, late.signal)
    return await containers(docker, { signal: late.signal })
  } finally {
    answered.abort()
  }
}

async function auditSockets(
  { exceptions }: HostAudit,
  running: Running,
  signal: AbortSignal,
): Promise<Finding> {
  const known = await running()
  const nameOf = (id: string): string | null =>
    known.find(({ Id }) => Id === id)?.Name.replace(/^\//, '') ?? null
  const published = new Set(
    known.flatMap(publishesOf).map(({ protocol, port }) => `${protocol} ${port}`),
  )
  const sockets = await reachableSockets(signal)
  return finding(
    applyExceptions(socketExposures(sockets, { published, nameOf }), exceptions),
    'no process listens where others than this machine and the tailnet could reach it',
  )
}

async function auditContainers(
  { docker, exceptions, mounts }: HostAudit,
  running: Running,
  signal: AbortSignal,
): Promise<Finding> {
  const known = await running()
  const { open, excused } = judgeContainers(known, exceptions, mounts)
  const lan = applyExceptions(await lanExposures(docker, known, signal), exceptions)
  return finding(
    { open: [...open, ...lan.open], excused: [...excused, ...lan.excused] },
    `${known.length} containers publish to loopback and the tailnet only, and none has power over the host`,
  )
}

async function auditNat(
  { exceptions }: HostAudit,
  running: Running,
  signal: AbortSignal,
): Promise<Finding> {
  const { exposures, read, missing } = await readNat(signal)
  if (read.length === 0)
    return fail(
      `The packet filter cannot be read: neither iptables nor nft is installed.`,
      'install_host_tools',
    )
  // Docker writes a rule for each address that it publishes to everybody; ports:docker reports that port.
  const publicPorts = new Set(
    (await running())
      .flatMap(publishesOf)
      .filter(({ address }) => !isPrivateAddress(address))
      .map(({ protocol, port }) => `${protocol} ${port}`),
  )
  const others = exposures.filter(
    ({ port }) => port === undefined || !publicPorts.has(`${port.protocol} ${port.number}`),
  )
  const judged = finding(
    applyExceptions(others, exceptions),
    `no rule of ${read.join(', ')} opens a port`,
    'delete_nat_rule',
  )
  return judged.status === 'PASS' && missing.length > 0
    ? warn(
        `${judged.detail}; the rules of ${missing.join(' and ')} were not read: it is not installed`,
        'install_host_tools',
      )
    : judged
}

/** A check with a longer limit, as in a deploy, gives Tailscale longer too. */
const waitMs = (limitMs = 0): number =>
  limitMs >= tailscaleInDeployMs ? tailscaleInDeployMs : tailscaleMs

async function auditTailnet(
  { exceptions, limitMs }: HostAudit,
  running: Running,
  signal: AbortSignal,
): Promise<Finding> {
  const [tailnet, served] = await Promise.all([
    readTailnet(signal, waitMs(limitMs)),
    readServe(signal, waitMs(limitMs)),
  ])
  const known = tailnetKnowledge(tailnet, served)
  if ('unknown' in known)
    return fail(
      `It is not known what the tailnet reaches on this host: ${known.unknown}`,
      'join_tailnet',
    )
  const sockets = openSockets()
    .filter(({ address }) => isPrivateAddress(address))
    .map((socket) => ({ ...socket, owners: socket.pids.map(ownerOf) }))
  const judge = (published: ReadonlySet<string>): Judged =>
    applyExceptions(
      tailnetExposures(sockets, {
        status: 'status' in tailnet ? tailnet.status : null,
        served: served.kind === 'answer' ? served.value : {},
        published,
      }),
      exceptions,
    )
  const judged = judge(new Set())
  if (judged.open.length === 0) return finding(judged, known.closed)
  // Docker is asked only when something is open, so that its absence stays the matter of another check.
  const published = (await running())
    .flatMap(publishesOf)
    .map(({ protocol, port }) => `${protocol} ${port}`)
  return finding(judge(new Set(published)), known.closed)
}

async function auditTailscale(
  { exceptions, hq, limitMs }: HostAudit,
  _running: Running,
  signal: AbortSignal,
): Promise<Finding> {
  const served = await readServe(signal, waitMs(limitMs))
  if (served.kind === 'not_installed')
    return pass('Tailscale is not installed, so it serves nothing')
  if (served.kind === 'daemon_down')
    return pass('Tailscale does not run, so it serves nothing; the check of the tailnet says more')
  if (served.kind !== 'answer')
    return fail(`It is not known what Tailscale serves: ${served.why}`, 'join_tailnet')
  return finding(
    applyExceptions(serveExposures(served.value, hq), exceptions),
    'Serve offers hostd and the console at most; Funnel is off; no foreground session',
    'close_tailscale_serve',
  )
}

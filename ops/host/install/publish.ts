// hostd and the console in the tailnet: published with Tailscale Serve, and taken back.
import { hostSettings, type HostSettings } from '#shared/config'
import { Problem } from '#shared/errors'
import { tailnetPorts } from '#shared/tailnet/ports'
import { nodeName, type TailscaleStatus } from '#shared/tailnet/status'
import { z } from 'zod'
import { envValue } from '#ops/base/env'
import { readJson, writeJson } from '#ops/base/files/json-file'
import type { HostPaths } from '#ops/base/paths/paths'
import { hqTargets } from '#ops/core/host-state/hq-targets'
import { readHostSettings } from '#ops/core/config/settings-files'
import {
  forgetPublished,
  readPublished,
  writePublished,
  type Published,
  type PublishedEntry,
} from '#ops/core/host-state/published'
import { applyDue, type Change } from '#ops/platform/accounts/change'
import { proxyTarget, type HqTargets } from '#ops/platform/net/serve-target'
import { readTailnet } from '#ops/platform/tailnet/client'
import { atPort, readServe, serve, unserve } from '#ops/platform/tailnet/serve'

/** What is to be published, or why nothing is. */
export type Publication =
  | ({ readonly kind: 'possible' } & Omit<Published, 'schema_version'>)
  | { readonly kind: 'none'; readonly why: string }

const none = (why: string): Publication => ({
  kind: 'none',
  why: `${why} hostd and the console are not published to the tailnet; everything else works.`,
})

/**
 * What this host can publish, as Tailscale is now.
 * @throws {Problem} `install_refused` when plain http was requested where certificates are issued
 */
export async function planPublication(
  paths: HostPaths,
  { console_port }: Pick<HostSettings, 'console_port'>,
): Promise<Publication> {
  const found = await readTailnet()
  if (!('status' in found)) return none(found.why)
  if (found.kind !== 'running' || found.status.Self === null)
    return none('Tailscale runs on this host, but is not signed in and connected.')
  const name = nodeName(found.status.Self)
  if (name === '') return none('MagicDNS is off in this tailnet, so this host has no name in it.')
  const tls = usesTls(paths, found.status)
  if (tls === null)
    return none(
      'HTTPS certificates are off in this tailnet. They are switched on in the DNS settings of its admin console.',
    )
  const scheme = tls ? 'https' : 'http'
  return {
    kind: 'possible',
    name,
    hostnames: [...new Set([name, name.split('.', 1)[0] ?? name])],
    tls,
    entries: [
      {
        port: tls ? tailnetPorts.hostd : tailnetPorts.hostdPlain,
        scheme,
        target: `unix:${paths.tailnetSocket}`,
      },
      { port: tailnetPorts.console, scheme, target: `http://127.0.0.1:${console_port}` },
    ],
  }
}

/**
 * A host is published with TLS. Plain http is for the test rig: its control server issues no certificates. It is
 * refused where they are issued, and kept for later installations, which a deploy starts without the variable.
 * @returns null when there are no certificates
 */
function usesTls(paths: HostPaths, { CertDomains }: TailscaleStatus): boolean | null {
  const plain = envValue('OPENCLAW_RIG_TAILNET_HTTP') === '1'
  if (CertDomains.length > 0) {
    if (plain)
      throw new Problem(
        'install_refused',
        'OPENCLAW_RIG_TAILNET_HTTP is for a control server without certificates, and this one issues them. ' +
          'Nothing was published.',
      )
    return true
  }
  return plain || readPublished(paths)?.tls === false ? false : null
}

const describe = ({ port }: PublishedEntry): string =>
  port === tailnetPorts.console ? 'the console' : 'hostd'

/** The names of this host in the tailnet are names of hostd: those added before under another name go. */
export function tailnetNamesChange(paths: HostPaths, publication: Publication): Change {
  const wanted = (): string[] => {
    const now = readHostSettings(paths).hostnames
    if (publication.kind === 'none') return now
    const before = readPublished(paths)?.hostnames ?? []
    const kept = now.filter(
      (name) => !before.includes(name) || publication.hostnames.includes(name),
    )
    return [...new Set([...kept, ...publication.hostnames])]
  }
  return {
    did: `set the names of the tailnet in ${paths.hostSettings}`,
    due: () => wanted().join() !== readHostSettings(paths).hostnames.join(),
    apply: () => writeHostnames(paths, wanted()),
  }
}

const writeHostnames = (paths: HostPaths, hostnames: readonly string[]): void =>
  writeJson(
    paths.hostSettings,
    hostSettings.loose().parse({
      ...readJson(paths.hostSettings, z.looseObject({}), 'config_invalid'),
      hostnames,
    }),
  )

/**
 * Publishes what is not published yet, compared with the configuration of Serve. A port that serves something else is
 * left as it is.
 * @param note called with each thing that could not be published, and why
 */
export async function publicationChanges(
  paths: HostPaths,
  publication: Publication,
  { hq, note }: { readonly hq: HqTargets; readonly note: (why: string) => void },
): Promise<Change[]> {
  if (publication.kind === 'none') return []
  const { kind: _kind, ...wanted } = publication
  const present = await readServe()
  if (present.kind !== 'answer') {
    note(`${present.why} hostd and the console are not published to the tailnet.`)
    return []
  }
  const before = readPublished(paths)
  const made: PublishedEntry[] = []
  const changes: Change[] = []
  for (const entry of wanted.entries) {
    const found = atPort(present.value, wanted.name, entry)
    const mine =
      found.kind === 'proxy' &&
      (proxyTarget(found.target, hq).isExpected ||
        before?.entries.some(({ port, target }) => port === entry.port && target === found.target))
    if (found.kind === 'same') made.push(entry)
    else if (found.kind === 'free' || mine === true) {
      made.push(entry)
      changes.push({
        did: `published ${describe(entry)} to the tailnet at ${entry.scheme}://${wanted.name}:${entry.port}`,
        due: () => true,
        apply: () => serve(entry),
      })
    } else
      note(
        `Port ${entry.port} of the tailnet already serves ${found.kind === 'proxy' ? found.target : found.what}, ` +
          `so ${describe(entry)} was not published there. It was left as it is.`,
      )
  }
  const record = { ...wanted, entries: made }
  // First the intent: an entry that HQ made is never one that it does not know.
  changes.unshift({
    did: 'recorded what is published to the tailnet',
    due: () => JSON.stringify(before) !== JSON.stringify({ schema_version: 1, ...record }),
    apply: () => writePublished(paths, record),
  })
  return changes
}

interface Publishing {
  readonly paths: HostPaths
  readonly port: number
  readonly say: (did: string) => void
  readonly note: (why: string) => void
}

/** What Tailscale refuses is no reason to call hostd not installed: it serves this host all the same. */
export async function publish(
  publication: Publication,
  { paths, port, say, note }: Publishing,
): Promise<Change[]> {
  if (publication.kind === 'none') note(publication.why)
  const hq = hqTargets(paths, readHostSettings(paths), port)
  try {
    return await applyDue(await publicationChanges(paths, publication, { hq, note }), say)
  } catch (error) {
    if (!(error instanceof Problem && error.errorClass === 'publish_failed')) throw error
    note(error.message)
    return []
  }
}

/** Takes back what HQ published and nobody changed since, and its names. */
export async function unpublishChanges(paths: HostPaths): Promise<Change[]> {
  const published = readPublished(paths)
  if (published === undefined) return []
  const present = await readServe()
  const standing =
    present.kind === 'answer'
      ? published.entries.filter(
          (entry) => atPort(present.value, published.name, entry).kind === 'same',
        )
      : []
  return [
    ...standing.map((entry): Change => ({
      did: `took ${describe(entry)} back from the tailnet`,
      due: () => true,
      apply: () => unserve(entry),
    })),
    {
      did: `removed the names of the tailnet from ${paths.hostSettings}`,
      due: () =>
        readHostSettings(paths).hostnames.some((name) => published.hostnames.includes(name)),
      apply: () =>
        writeHostnames(
          paths,
          readHostSettings(paths).hostnames.filter((name) => !published.hostnames.includes(name)),
        ),
    },
    {
      did: 'forgot what was published to the tailnet',
      due: () => true,
      apply: () => forgetPublished(paths),
    },
  ]
}

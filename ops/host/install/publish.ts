// hostd and the console in the tailnet: published with Tailscale Serve, and taken back.
import { existsSync } from 'node:fs'
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
import type { ServeConfig } from '#ops/platform/net/serve-config'
import { proxyTarget, type HqTargets } from '#ops/platform/net/serve-target'
import { readTailnet } from '#ops/platform/tailnet/client'
import { atPort, readServe, serve, unserve, type AtPort } from '#ops/platform/tailnet/serve'

/** What is to be published, with every name of this host in the tailnet, or why nothing is. */
export type Publication =
  | ({ readonly kind: 'possible' } & Omit<Published, 'schema_version' | 'before'>)
  | { readonly kind: 'none'; readonly why: string }

const none = (why: string): Publication => ({
  kind: 'none',
  why: `${why} hostd and the console are not published to the tailnet; everything else works.`,
})

/** Only a machine of the test rig has this file. */
const rigFile = '/etc/rig-address'

/**
 * What this host can publish, as Tailscale is now.
 * @param isRig is this host a machine of the test rig?
 * @throws {Problem} `install_refused` when plain http was requested outside the rig, or where certificates are issued
 */
export async function planPublication(
  paths: HostPaths,
  { console_port }: Pick<HostSettings, 'console_port'>,
  isRig = existsSync(rigFile),
): Promise<Publication> {
  const found = await readTailnet()
  if (!('status' in found)) return none(found.why)
  if (found.kind !== 'running' || found.status.Self === null)
    return none('Tailscale runs on this host, but is not signed in and connected.')
  const name = nodeName(found.status.Self)
  if (name === '') return none('MagicDNS is off in this tailnet, so this host has no name in it.')
  const tls = usesTls(paths, found.status, isRig)
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
function usesTls(
  paths: HostPaths,
  { CertDomains }: TailscaleStatus,
  isRig: boolean,
): boolean | null {
  const plain = envValue('OPENCLAW_RIG_TAILNET_HTTP') === '1'
  if (plain && !isRig)
    throw new Problem(
      'install_refused',
      'OPENCLAW_RIG_TAILNET_HTTP is for the test rig, and this host is no machine of it. Nothing was published.',
    )
  if (CertDomains.length > 0) {
    if (plain)
      throw new Problem(
        'install_refused',
        'OPENCLAW_RIG_TAILNET_HTTP is for a control server without certificates, and this one issues them. ' +
          'Nothing was published.',
      )
    return true
  }
  return plain || (isRig && readPublished(paths)?.tls === false) ? false : null
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
    apply: () => {
      const names = wanted()
      // First the intent: afterwards nothing would tell HQ's names from those of a person.
      if (publication.kind === 'possible') {
        const { name, tls } = publication
        const { entries = [], before } = readPublished(paths) ?? {}
        const hostnames = addedNames(paths, publication.hostnames)
        writePublished(paths, { name, hostnames, tls, entries, ...(before && { before }) })
      }
      writeHostnames(paths, names)
    },
  }
}

/** Those of the names that HQ added to host.json, or adds now. */
function addedNames(paths: HostPaths, names: readonly string[]): string[] {
  const now = readHostSettings(paths).hostnames
  const before = readPublished(paths)?.hostnames ?? []
  return names.filter((name) => before.includes(name) || !now.includes(name))
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
  const stood: NonNullable<Published['before']> = []
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
    const target = stoodBefore(before, entry, found)
    if (target !== undefined) stood.push({ port: entry.port, target })
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
  const ours = stood.filter(({ port }) => made.some((each) => each.port === port))
  const record = {
    ...wanted,
    hostnames: addedNames(paths, wanted.hostnames),
    entries: made,
    ...(ours.length > 0 && { before: ours }),
  }
  // First the intent: an entry that HQ made is never one that it does not know.
  changes.unshift({
    did: 'recorded what is published to the tailnet',
    due: () => JSON.stringify(before) !== JSON.stringify({ schema_version: 1, ...record }),
    apply: () => writePublished(paths, record),
  })
  return changes
}

/** The target that stood at a port before HQ published there, if any did. */
function stoodBefore(
  record: Published | undefined,
  { port }: PublishedEntry,
  found: AtPort,
): string | undefined {
  if (found.kind === 'free') return undefined
  const own = record?.entries.find((each) => each.port === port)
  const isOwn = own !== undefined && (found.kind !== 'proxy' || found.target === own.target)
  if (isOwn) return record?.before?.find((each) => each.port === port)?.target
  if (found.kind === 'proxy') return found.target
  return found.kind === 'same' ? found.target : undefined
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

/**
 * Takes back what HQ published and nobody changed since, and its names; what HQ replaced is put back. What Tailscale
 * does not do stays recorded, for a later uninstallation.
 * @param note called with each thing that could not be taken back, and why
 */
export async function unpublish(
  paths: HostPaths,
  { say, note }: Pick<Publishing, 'say' | 'note'>,
): Promise<Change[]> {
  const record = readPublished(paths)
  if (record === undefined) return []
  const done: Change[] = []
  const kept = 'It stays recorded, and a later uninstallation takes it back.'
  let isTaken = true
  const present = await readServe()
  if (present.kind !== 'answer' && present.kind !== 'not_installed') {
    note(`${present.why} What HQ published to the tailnet was not taken back. ${kept}`)
    isTaken = false
  }
  for (const change of present.kind === 'answer' ? takeBack(record, present.value) : [])
    try {
      done.push(...(await applyDue([change], say)))
    } catch (error) {
      if (!(error instanceof Problem && error.errorClass === 'publish_failed')) throw error
      note(`${error.message} ${kept}`)
      isTaken = false
    }
  const rest = [namesRemoval(paths, record), forgetting(paths, () => isTaken)]
  return [...done, ...(await applyDue(rest, say))]
}

/** The entries that stand as HQ made them. */
function takeBack({ name, entries, before = [] }: Published, config: ServeConfig): Change[] {
  return entries
    .filter((entry) => atPort(config, name, entry).kind === 'same')
    .flatMap((entry): Change[] => {
      const target = before.find(({ port }) => port === entry.port)?.target
      if (target === entry.target) return []
      return [
        target === undefined
          ? {
              did: `took ${describe(entry)} back from the tailnet`,
              due: () => true,
              apply: () => unserve(entry),
            }
          : {
              did: `put ${target} back at port ${entry.port} of the tailnet`,
              due: () => true,
              apply: () => serve({ ...entry, target }),
            },
      ]
    })
}

const namesRemoval = (paths: HostPaths, { hostnames }: Published): Change => ({
  did: `removed the names of the tailnet from ${paths.hostSettings}`,
  due: () => readHostSettings(paths).hostnames.some((name) => hostnames.includes(name)),
  apply: () =>
    writeHostnames(
      paths,
      readHostSettings(paths).hostnames.filter((name) => !hostnames.includes(name)),
    ),
})

const forgetting = (paths: HostPaths, due: () => boolean): Change => ({
  did: 'forgot what was published to the tailnet',
  due,
  apply: () => forgetPublished(paths),
})

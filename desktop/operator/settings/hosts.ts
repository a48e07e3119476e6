/** The enrolled hosts in the settings, one of them selected, and their tokens in the keystore. */
import type { Input } from '#shared/bridge'
import type { EnrolledHost, HostPin, OperatorSettings } from '#shared/config'
import { Problem } from '#shared/errors'
import { copyWitness, forgetName } from '#ops/core/proof/rename-witness'
import { hostOrigin } from '../base/host-address.ts'
import { hostTokenKey, type Keystore } from './keystore.ts'
import type { SettingsStore } from './settings.ts'

/** Every enrolled host, each once, the selected one first. */
export const enrolledHosts = ({ host, hosts }: OperatorSettings): EnrolledHost[] =>
  [host, ...hosts]
    .filter((each) => each !== null)
    .filter(({ url }, at, all) => all.findIndex((other) => other.url === url) === at)

interface Stores {
  readonly store: SettingsStore
  readonly keystore: Keystore
}

/**
 * Enrols a host, or changes the name or token of an enrolled one. Each has a name of its own: proofs and keys are
 * remembered by it, and go with a host that is renamed.
 * @param place `selected`: in place of the selected host, or as the selected one. `added`: beside the others
 * @throws {Problem} `setting_invalid` for an address the token must not travel to, and for a name that is taken;
 *   `invalid_request` for a token that no HTTP header can carry; what `copyWitness` throws
 */
export async function setHost(
  { store, keystore }: Stores,
  input: Input<'settings.set_host'>,
  place: 'selected' | 'added' = 'selected',
): Promise<OperatorSettings> {
  const origin = hostOrigin(input.url, { tls: enrolledAt(store.read(), input.url)?.tls })
  const token = checkedToken(input.token)
  const wanted = { name: input.name, origin }
  const former = changed(store.read(), wanted, place).known?.name ?? wanted.name
  if (former !== wanted.name) copyWitness(store.home, former, wanted.name)
  if (token !== null) await keystore.set(hostTokenKey(origin), token)
  const before = store.read()
  const settings = store.update(changed(before, wanted, place).next)
  const hosts = enrolledHosts(settings)
  // Some file systems know no difference between two names that differ in case only.
  if (!hosts.some(({ name }) => sameName(name, former))) forgetName(store.home, former)
  for (const { url } of enrolledHosts(before))
    if (!hosts.some((host) => sameOrigin(host.url, url)))
      await keystore.delete(hostTokenKey(new URL(url).origin))
  return settings
}

/** The settings with this host. @throws {Problem} `setting_invalid` when another host has its name */
function changed(
  settings: OperatorSettings,
  { name, origin }: { readonly name: string; readonly origin: string },
  place: 'selected' | 'added',
): { readonly known?: EnrolledHost; readonly next: Pick<OperatorSettings, 'host' | 'hosts'> } {
  const known = enrolledAt(settings, origin)
  const { host } = settings
  const stays = place === 'added' || known !== undefined
  const others = enrolledHosts(settings).filter(
    (each) => !sameOrigin(each.url, origin) && (stays || each !== host),
  )
  const taken = others.find((each) => sameName(each.name, name))
  if (taken !== undefined)
    throw new Problem(
      'setting_invalid',
      `The host at ${taken.url} is named ${JSON.stringify(taken.name)} already, and proofs are remembered by name. ` +
        'Choose another name. The settings are unchanged.',
    )
  const entry: EnrolledHost = { ...known, name, url: origin }
  const found = known === undefined ? {} : { known }
  if (place === 'selected' || host === null || host === known)
    return { ...found, next: { host: entry, hosts: others } }
  return { ...found, next: { host, hosts: [...others.filter((each) => each !== host), entry] } }
}

/** Selects one of the enrolled hosts. @throws {Problem} `not_found` */
export function selectHost(store: SettingsStore, url: string): OperatorSettings {
  const settings = store.read()
  const entry = mustFind(settings, url)
  return store.update({
    host: entry,
    hosts: enrolledHosts(settings).filter((each) => each.url !== entry.url),
  })
}

/**
 * Forgets a host and its token.
 * @throws {Problem} `not_found`; `invalid_request` for the selected host while there are others
 */
export async function removeHost({ store, keystore }: Stores, url: string): Promise<void> {
  const settings = store.read()
  const entry = mustFind(settings, url)
  const isSelected = settings.host?.url === entry.url
  if (isSelected && settings.hosts.length > 0)
    throw new Problem(
      'invalid_request',
      `${entry.name} is the host that Ship and Deploy use. Select another one first. Nothing was removed.`,
    )
  await keystore.delete(hostTokenKey(new URL(entry.url).origin))
  store.update({
    host: isSelected ? null : settings.host,
    hosts: settings.hosts.filter((each) => each.url !== entry.url),
  })
}

/** Pins who answers under an address, unless somebody is pinned already. */
export function pinHost(store: SettingsStore, url: string, pin: HostPin): void {
  replaceHost(store, url, (host) => (host.pin === undefined ? { ...host, pin } : host))
}

/**
 * Takes over a change of identity that the operator agreed to. A host that was renamed gets its new address, and its
 * token moves there.
 * @throws {Problem} `setting_invalid` when another host is enrolled at its new address
 */
export async function repinHost(
  { store, keystore }: Stores,
  url: string,
  { pin, renamed }: { pin: HostPin; renamed: boolean },
): Promise<void> {
  const moved = renamed ? withHostname(url, pin.tls_name) : url
  if (moved !== url) {
    const taken = enrolledAt(store.read(), moved)
    if (taken !== undefined)
      throw new Problem(
        'setting_invalid',
        `${taken.name} is enrolled at ${moved} already. Remove one of the two. The settings are unchanged.`,
      )
    const token = await keystore.get(hostTokenKey(url))
    if (token !== null) await keystore.set(hostTokenKey(moved), token)
  }
  replaceHost(store, url, (host) => ({ ...host, url: moved, pin }))
  if (moved !== url) await keystore.delete(hostTokenKey(url))
}

function withHostname(url: string, hostname: string): string {
  const moved = new URL(url)
  moved.hostname = hostname
  return moved.origin
}

function replaceHost(
  store: SettingsStore,
  url: string,
  change: (host: EnrolledHost) => EnrolledHost,
): void {
  const { host, hosts } = store.read()
  const applied = (each: EnrolledHost): EnrolledHost => (each.url === url ? change(each) : each)
  store.update({ host: host && applied(host), hosts: hosts.map(applied) })
}

function mustFind(settings: OperatorSettings, url: string): EnrolledHost {
  const found = enrolledAt(settings, url)
  if (found === undefined)
    throw new Problem('not_found', `No host is enrolled at ${url}. The settings are unchanged.`)
  return found
}

const enrolledAt = (settings: OperatorSettings, url: string): EnrolledHost | undefined =>
  enrolledHosts(settings).find((each) => sameOrigin(each.url, url))

const sameName = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase()

const sameOrigin = (one: string, other: string): boolean =>
  URL.canParse(one) && URL.canParse(other) && new URL(one).origin === new URL(other).origin

/** @throws {Problem} `invalid_request` */
function checkedToken(given: string | undefined): string | null {
  const token = given?.trim()
  if (token === undefined) return null
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new Problem(
      'invalid_request',
      'token: holds characters that no token has. The settings are unchanged.',
    )
  return token
}

/** The enrolled hosts in the settings, one of them selected, and their tokens in the keystore. */
import type { Input } from '#shared/bridge'
import type { EnrolledHost, HostPin, OperatorSettings } from '#shared/config'
import { Problem } from '#shared/errors'
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
 * Enrols a host, or changes the name or token of an enrolled one.
 * @param place `selected`: in place of the selected host. `added`: beside the others
 * @throws {Problem} `setting_invalid` for an address the token must not travel to; `invalid_request` for a token that
 *   no HTTP header can carry
 */
export async function setHost(
  { store, keystore }: Stores,
  input: Input<'settings.set_host'>,
  place: 'selected' | 'added' = 'selected',
): Promise<OperatorSettings> {
  const settings = store.read()
  const known = enrolledHosts(settings).find(({ url }) => sameOrigin(url, input.url))
  const origin = hostOrigin(input.url, { tls: known?.tls })
  const token = checkedToken(input.token)
  if (token !== null) await keystore.set(hostTokenKey(origin), token)
  const entry: EnrolledHost = { ...known, name: input.name, url: origin }
  const { host } = settings
  const others = settings.hosts.filter(({ url }) => !sameOrigin(url, origin))
  if (place === 'selected' || host === null || sameOrigin(host.url, origin))
    return store.update({ host: entry, hosts: others })
  return store.update({ hosts: [...others, entry] })
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
 */
export async function repinHost(
  { store, keystore }: Stores,
  url: string,
  { pin, renamed }: { pin: HostPin; renamed: boolean },
): Promise<void> {
  const moved = renamed ? withHostname(url, pin.tls_name) : url
  if (moved !== url) {
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
  const changed = (each: EnrolledHost): EnrolledHost => (each.url === url ? change(each) : each)
  store.update({ host: host && changed(host), hosts: hosts.map(changed) })
}

function mustFind(settings: OperatorSettings, url: string): EnrolledHost {
  const found = enrolledHosts(settings).find((each) => sameOrigin(each.url, url))
  if (found === undefined)
    throw new Problem('not_found', `No host is enrolled at ${url}. The settings are unchanged.`)
  return found
}

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

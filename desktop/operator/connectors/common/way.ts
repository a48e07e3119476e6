import type { HostdClient } from '#shared/hostd-client/client'
import type { Environment } from '#ops/base/env'
import type { Keystore } from '../../settings/keystore.ts'
import type { Attempt } from './attempt.ts'

/** One secret on its way to the host. */
export interface Secret {
  /** One of the `secrets` of its connector. */
  readonly kind: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** What a way is given beside its attempt. */
export interface WayOptions {
  /** The form, by field. A field that was left empty has the value that HQ kept of it. */
  readonly fields: Readonly<Record<string, string>>
  /** `$OPENCLAW_HQ_HOME` */
  readonly home: string
  readonly env: Environment
  readonly keystore: Keystore
  readonly client: HostdClient
  /** The log of HQ on this machine. */
  readonly log: (text: string) => void
  /** Opens an address in the browser of this system. It throws when there is none. */
  readonly openBrowser: (url: string) => Promise<void>
  /** Keeps the value of a field whose description has `kept`, once the host has proved the secret. */
  readonly keep: (field: string, value: string) => void
}

/**
 * Gets the secret from the person: it runs the steps of the way before `send`.
 * @returns what goes to the host, in this order; the last is the one that is proved
 * @throws {Problem} why there is none; nothing was sent
 */
export type Obtain = (attempt: Attempt, options: WayOptions) => Promise<readonly Secret[]>

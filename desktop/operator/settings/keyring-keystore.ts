import { setTimeout as delay } from 'node:timers/promises'
import { Problem } from '#shared/errors'
import { readSecret, removeSecret, writeSecret, type Keystore } from './keystore.ts'

/** What the system's keyring does for HQ. */
export interface Keyring {
  /** Resolves when the keyring has answered, which may take until the person has unlocked it. */
  available(): Promise<boolean>
  encrypt(text: string): Promise<Uint8Array>
  decrypt(sealed: Buffer): Promise<string>
}

export interface KeyringOptions {
  readonly home: string
  readonly keyring: Keyring
  /** How long the start of HQ waits for the keyring, milliseconds. */
  readonly limitMs: number
  /** Reports what no reply can carry. */
  readonly log: (text: string) => void
}

const sealedName = (key: string): string => `os ${key}`

/**
 * Tokens encrypted by the keyring of the system, the ciphertext in a file of mode 0600. Without a keyring they are held
 * in memory, and `kind` says so. A locked keyring answers only when the person has typed its password, or never: HQ
 * starts without it after the limit, and uses it as soon as it answers.
 */
export class KeyringKeystore implements Keystore {
  readonly #options: KeyringOptions
  readonly #held = new Map<string, string>()
  #state: 'available' | 'unavailable' | 'silent' = 'silent'

  private constructor(options: KeyringOptions) {
    this.#options = options
  }

  /** Resolves when the keyring has answered, at the latest after the limit. */
  static async open(options: KeyringOptions): Promise<Keystore> {
    const keystore = new KeyringKeystore(options)
    const limit = new AbortController()
    await Promise.race([
      keystore.#connect().finally(() => limit.abort()),
      delay(options.limitMs, undefined, { signal: limit.signal }).catch(() => undefined), // answered
    ])
    if (keystore.#state === 'silent')
      options.log(
        `The keyring of this system has not answered within ${options.limitMs} ms; HQ starts without it.`,
      )
    return keystore
  }

  get kind(): 'os' | 'none' {
    return this.#state === 'available' ? 'os' : 'none'
  }

  async get(key: string): Promise<string | null> {
    const held = this.#held.get(key)
    if (held !== undefined) return held
    const sealed = this.#state === 'unavailable' ? null : this.#read(key)
    if (sealed === null) return null
    if (this.#state === 'silent')
      throw new Problem(
        'host_not_enrolled',
        'The keyring of this system does not answer, so the stored token cannot be read. ' +
          'It may be locked. HQ goes on as soon as it is unlocked; the stored token is unchanged.',
      )
    try {
      return await this.#options.keyring.decrypt(sealed)
    } catch (error) {
      throw new Problem(
        'host_not_enrolled',
        'The keyring of this system could not decrypt the stored token. Enter the token again in Settings.',
        { cause: error },
      )
    }
  }

  async set(key: string, value: string): Promise<void> {
    if (this.#state !== 'available') {
      this.#held.set(key, value)
      return
    }
    const sealed = await this.#options.keyring.encrypt(value)
    writeSecret(this.#options.home, sealedName(key), sealed)
    this.#held.delete(key)
  }

  async delete(key: string): Promise<void> {
    this.#held.delete(key)
    removeSecret(this.#options.home, sealedName(key))
  }

  #read(key: string): Buffer | null {
    return readSecret(this.#options.home, sealedName(key))
  }

  async #connect(): Promise<void> {
    const { keyring, log } = this.#options
    try {
      this.#state = (await keyring.available()) ? 'available' : 'unavailable'
      // Entered while the keyring did not answer.
      for (const [key, value] of this.#held) await this.set(key, value)
    } catch (error) {
      log(`The keyring of this system cannot be used: ${String(error)}`)
      if (this.#state === 'silent') this.#state = 'unavailable'
    }
  }
}

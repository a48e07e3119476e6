import { envValue, removeVariables } from '#ops/base/env'
import { closeSync, readSync } from 'node:fs'
import { Problem } from '#shared/errors'
import { messageOf } from '#shared/system-error'
import type { KeyStore } from './key-store.ts'

/** A PEM has about 120 bytes. */
const maxBytes = 4096

let given: string | null = null

/**
 * Reads the key that HQ hands over, closes the descriptor and takes its name out of the environment, so that nothing
 * that is started later knows of it. To be called before anything is started.
 * @throws {Problem} `config_invalid` when the variable is there and no key comes
 */
export function takeInheritedShipKey(): void {
  const file = envValue(
    'OPENCLAW_SHIP_KEY_FD',
    removeVariables((name) => name === 'OPENCLAW_SHIP_KEY_FD'),
  )
  if (file === undefined) return
  try {
    const bytes = Buffer.alloc(maxBytes)
    let size = 0
    for (
      let count = readSync(file, bytes, 0, maxBytes, null);
      count > 0 && size < maxBytes;
      count = readSync(file, bytes, size, maxBytes - size, null)
    )
      size += count
    given = bytes.toString('utf8', 0, size)
    bytes.fill(0)
  } catch (error) {
    throw new Problem(
      'config_invalid',
      'HQ was to hand over the ship key, and it cannot be read: ' +
        `${messageOf(error)}. Nothing was started.`,
    )
  } finally {
    try {
      closeSync(file)
    } catch {
      /* it was never open, which the read has said */
    }
  }
  if (given === '')
    throw new Problem(
      'config_invalid',
      'HQ was to hand over the ship key, and nothing came. Nothing was started.',
    )
}

/** @returns null when none was handed over */
export function inheritedShipKeyStore(): KeyStore | null {
  const pem = given
  return pem === null
    ? null
    : { place: 'the ship key that HQ handed over', read: async () => pem, create: async () => pem }
}

import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { BundleVerification } from '#shared/proof'
import type { TrustedKeys } from '#ops/core/trust/trusted-keys'
import { verifyBundle } from './verify-bundle.ts'

/** Most bundles that are remembered. */
const maxRemembered = 200

/**
 * Verifies bundles, and reads one again only when something in its folder changed: name, size, inode or the kernel's
 * own time of change of any file. For pages that request it over and over.
 *
 * @param keys called each time, so that a newly enrolled key counts at once
 */
export function cachedVerifier(
  keys: () => TrustedKeys,
): (dir: string) => Promise<BundleVerification> {
  const known = new Map<
    string,
    { readonly stamp: string; readonly answer: Promise<BundleVerification> }
  >()
  return (dir) => {
    const trusted = keys()
    const stamp = `${[...trusted.keys()].toSorted().join(' ')}\n${stampOf(dir)}`
    const before = known.get(dir)
    if (before?.stamp === stamp) return before.answer
    const answer = verifyBundle(dir, { keys: trusted })
    known.delete(dir)
    known.set(dir, { stamp, answer })
    for (const oldest of known.keys()) {
      if (known.size <= maxRemembered) break
      known.delete(oldest)
    }
    return answer
  }
}

function stampOf(dir: string): string {
  try {
    return readdirSync(dir, { recursive: true, encoding: 'utf8' })
      .toSorted()
      .map((path) => {
        const { ino, size, ctimeNs } = lstatSync(join(dir, path), { bigint: true })
        return `${path} ${ino} ${size} ${ctimeNs}`
      })
      .join('\n')
  } catch (error) {
    return `unreadable ${String(error)} ${performance.now()}` // something changes: verify again each time
  }
}

import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, type Dirent } from 'node:fs'
import { lstat, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Redactor } from './redactor.ts'

const chunkBytes = 256 * 1024

/** Would redaction change this file? In bounded memory. */
async function holdsSecret(path: string, redact: Redactor): Promise<boolean> {
  const [before, after] = [createHash('sha256'), createHash('sha256')]
  const redactor = redact.bytes()
  for await (const chunk of createReadStream(path, {
    highWaterMark: chunkBytes,
  }) as AsyncIterable<Buffer>) {
    before.update(chunk)
    after.update(redactor.push(chunk))
  }
  after.update(redactor.end())
  return before.digest('hex') !== after.digest('hex')
}

/**
 * Puts a copy without what is secret at `to`.
 * @param note is put before the copy when something was taken out
 * @returns was something taken out?
 */
export async function copyRedacted(
  { from, to }: { readonly from: string; readonly to: string },
  redact: Redactor,
  note = '',
): Promise<boolean> {
  const found = await holdsSecret(from, redact)
  const temporary = join(dirname(to), `.${basename(to)}.redacting`)
  try {
    const [source, target] = [
      createReadStream(from, { highWaterMark: chunkBytes }),
      createWriteStream(temporary, { mode: 0o644 }),
    ]
    if (found) {
      target.write(note)
      await pipeline(source, redact.stream(), target)
    } else await pipeline(source, target)
    await rename(temporary, to)
  } finally {
    await rm(temporary, { force: true })
  }
  return found
}

/**
 * Takes what is secret out of the files of a folder, in place. The last check before a bundle is sealed: what wrote
 * them should have done so already.
 * @param redactorOf what a file of this name goes through; null leaves it as it is
 * @returns the paths that were changed, relative to `dir`
 */
export async function redactFolder(
  dir: string,
  redactorOf: (name: string) => Redactor | null,
): Promise<string[]> {
  const changed: string[] = []
  const visit = async (inner: string): Promise<void> => {
    const entries: Dirent[] = await readdir(join(dir, inner), { withFileTypes: true })
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(inner, entry.name)
      // Links and dotfiles are never part of a proof; sealing refuses the one and leaves out the other.
      const redact = redactorOf(entry.name)
      if (entry.name.startsWith('.')) continue
      if (entry.isDirectory()) await visit(path)
      else if (
        entry.isFile() &&
        redact !== null &&
        (await lstat(join(dir, path))).nlink === 1 &&
        (await holdsSecret(join(dir, path), redact))
      ) {
        await copyRedacted({ from: join(dir, path), to: join(dir, path) }, redact)
        changed.push(path)
      }
    }
  }
  await visit('')
  return changed
}

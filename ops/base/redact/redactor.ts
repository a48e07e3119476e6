// Keeps secrets out of every text that HQ shows or stores.
import { Transform } from 'node:stream'
import { Problem } from '#shared/errors'
import { ByteRedactor } from './byte-redactor.ts'
import { findPlaces, isSecretName } from './credential-places.ts'
import { formsOf, minSecretLength } from './encodings.ts'
import { literalMatcher, type Range } from './literal-matcher.ts'
import { keyFollower, mayHoldKey, type KeyFollower } from './private-keys.ts'
import { findFormats } from './secret-formats.ts'

/** What stands in the place of a secret. No rule matches it, so redacting twice changes nothing. */
export const marker = '[redacted]'

export interface RedactorOptions {
  /** Secrets that are loaded on this machine: tokens, passwords, keys. Found in every encoding of `formsOf`. */
  readonly secrets?: readonly string[]
  /**
   * Also redact where credentials stand (headers, parameters, passwords in addresses). Default true. Source code
   * turns it off: there they hold names of variables.
   */
  readonly places?: boolean
}

/** Output of a child that is redacted as it comes, in chunks that may be cut anywhere. */
export interface ChunkRedactor {
  push(chunk: Uint8Array): Buffer
  end(): Buffer
}

/** A place that is secret by itself, not by what stands before it. `known`: it is a secret of this machine. */
export interface SecretPlace extends Range {
  readonly known: boolean
}

export interface Redactor {
  /** One text that is whole: a line, a message, a file. */
  text(text: string): string
  /** For the lines of one stream, in order: a private key is followed over its lines. */
  lines(): (line: string) => string
  /**
   * For the bytes of one stream. Holds back the last unfinished line, at most 64 KiB.
   * @param options `resumed`: something was left out before the first line, perhaps the beginning of a key
   */
  bytes(options?: { readonly resumed?: boolean }): ChunkRedactor
  /** The same as a stream. */
  stream(): Transform
  /** A copy of a JSON value: every string and key redacted, and fields that are secret by their name. */
  json<T>(value: T): T
  /**
   * Where `text` holds a known secret or something in a known format, each kind in order. Not what only stands where
   * credentials stand.
   */
  secrets(text: string): SecretPlace[]
}

/** Overlapping ranges made one, in order. */
export function mergeRanges(ranges: readonly Range[]): Range[] {
  const merged: { start: number; end: number }[] = []
  for (const { start, end } of ranges.toSorted((a, b) => a.start - b.start)) {
    const last = merged.at(-1)
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end)
    else merged.push({ start, end })
  }
  return merged
}

function replaceRanges(text: string, ranges: readonly Range[]): string {
  if (ranges.length === 0) return text
  let result = ''
  let done = 0
  for (const { start, end } of ranges) {
    result += text.slice(done, start) + marker
    done = end
  }
  return result + text.slice(done)
}

/**
 * Keeps secrets out of texts: those that are loaded here, in any encoding; those in a format of a maintained list; and
 * those that stand where credentials stand.
 *
 * @throws {Problem} `config_invalid` for a secret that is too short to differ from other text, or that is part of the
 *   marker
 */
export function createRedactor({ secrets = [], places = true }: RedactorOptions = {}): Redactor {
  requireUsable(secrets)
  return new TextRedactor(secrets, places)
}

function requireUsable(secrets: readonly string[]): void {
  for (const secret of secrets) {
    if (secret.trim().length < minSecretLength)
      throw new Problem(
        'config_invalid',
        `A loaded secret has fewer than ${minSecretLength} characters and cannot be removed from logs. ` +
          'Replace it by a longer one. Nothing was started.',
      )
    if (marker.includes(secret.trim()))
      throw new Problem(
        'config_invalid',
        'A loaded secret is part of the text that replaces secrets in logs. ' +
          'Replace it by another one. Nothing was started.',
      )
  }
}

/** Each line of a text whose private keys are removed; a key is followed from line to line. */
function withoutPrivateKeys(text: string, keys: KeyFollower): string {
  if (!keys.inside && !mayHoldKey(text)) return text
  return text
    .split(/(?<=[\n\r])/)
    .map((line) => keys.line(line.replace(/[\r\n]+$/, '')) + (/[\r\n]+$/.exec(line)?.[0] ?? ''))
    .join('')
}

class TextRedactor implements Redactor {
  readonly #literals: ReturnType<typeof literalMatcher>
  readonly #places: boolean

  constructor(secrets: readonly string[], places: boolean) {
    const forms = secrets.flatMap(formsOf)
    // Bytes that are not UTF-8 are read one by one; a secret beyond ASCII has another form there.
    this.#literals = literalMatcher([
      ...forms,
      ...forms.map((form) => Buffer.from(form).toString('latin1')),
    ])
    this.#places = places
  }

  readonly text = (text: string): string => this.#clean(text, keyFollower(marker))

  readonly lines = (): ((line: string) => string) => {
    const keys = keyFollower(marker)
    return (line) => this.#clean(line, keys)
  }

  readonly bytes = ({ resumed = false } = {}): ChunkRedactor => {
    const keys = keyFollower(marker, resumed)
    return new ByteRedactor({
      clean: (text) => this.#clean(text, keys),
      find: (text) => this.#find(text),
      longest: this.#literals.longest,
    })
  }

  readonly stream = (): Transform => {
    const redactor = this.bytes()
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        done(null, redactor.push(chunk))
      },
      flush: (done) => {
        done(null, redactor.end())
      },
    })
  }

  readonly json = <T>(value: T): T => this.#json(value) as T

  readonly secrets = (text: string): SecretPlace[] => [
    ...this.#literals.find(text).map((range) => ({ ...range, known: true })),
    ...findFormats(text).map((range) => ({ ...range, known: false })),
  ]

  #find(text: string): Range[] {
    // What matches only because the marker stands in it (an address whose password was removed) is left alone.
    const formats = findFormats(text).filter(
      ({ start, end }) => !text.slice(start, end).includes(marker),
    )
    const places = this.#places ? findPlaces(text) : []
    return mergeRanges([...this.#literals.find(text), ...formats, ...places])
  }

  #clean(text: string, keys: KeyFollower): string {
    const rest = withoutPrivateKeys(text, keys)
    return replaceRanges(rest, this.#find(rest))
  }

  #json(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value)
    if (Array.isArray(value)) return value.map((each) => this.#json(each))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [
        this.text(name),
        isSecretName(name) ? this.#hidden(inner) : this.#json(inner),
      ]),
    )
  }

  /** The value of a field that is secret by its name: every text in it is replaced. */
  #hidden(value: unknown): unknown {
    if (typeof value === 'string' && value !== '') return marker
    return Array.isArray(value) ? value.map((each) => this.#hidden(each)) : this.#json(value)
  }
}

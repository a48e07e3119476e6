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
  /** Secrets that are loaded on this machine: tokens, passwords, keys. Looked for in every encoding of `formsOf`. */
  readonly secrets?: readonly string[]
  /** Also look where credentials stand (headers, parameters, passwords in addresses). Default true; in source such places hold names of variables. */
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
  /** For the bytes of one stream. Holds back the last unfinished line, at most 64 KiB. */
  bytes(): ChunkRedactor
  /** The same as a stream. */
  stream(): Transform
  /** A copy of a JSON value: every string and key redacted, and fields that are secret by their name. */
  json<T>(value: T): T
  /** Where `text` holds a known secret or something in a known format; not what only stands where credentials stand. In order of each kind. */
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
 * @throws {Problem} `config_invalid` for a secret that is too short to be told from other text, or that is part of the marker
 */
export function createRedactor({ secrets = [], places = true }: RedactorOptions = {}): Redactor {
  for (const secret of secrets) {
    if (secret.trim().length < minSecretLength)
      throw new Problem(
        'config_invalid',
        `A loaded secret has fewer than ${minSecretLength} characters and cannot be kept out of logs. Nothing was started.`,
      )
    if (marker.includes(secret.trim()))
      throw new Problem(
        'config_invalid',
        'A loaded secret is a part of the word that replaces secrets. Nothing was started.',
      )
  }
  const forms = secrets.flatMap(formsOf)
  // Bytes that are no UTF-8 are looked at one by one; a secret beyond ASCII has another form there.
  const literals = literalMatcher([
    ...forms,
    ...forms.map((form) => Buffer.from(form).toString('latin1')),
  ])

  const find = (text: string): Range[] => {
    // What matches only because the marker already stands in it (an address with its password taken out) is left alone.
    const formats = findFormats(text).filter(
      ({ start, end }) => !text.slice(start, end).includes(marker),
    )
    return mergeRanges([...literals.find(text), ...formats, ...(places ? findPlaces(text) : [])])
  }
  const keysOut = (text: string, keys: KeyFollower): string =>
    keys.inside || mayHoldKey(text)
      ? text
          .split(/(?<=[\n\r])/)
          .map(
            (line) => keys.line(line.replace(/[\r\n]+$/, '')) + (/[\r\n]+$/.exec(line)?.[0] ?? ''),
          )
          .join('')
      : text
  const clean = (text: string, keys: KeyFollower): string => {
    const withoutKeys = keysOut(text, keys)
    return replaceRanges(withoutKeys, find(withoutKeys))
  }
  const whole = (text: string): string => clean(text, keyFollower(marker))

  const json = (value: unknown): unknown => {
    if (typeof value === 'string') return whole(value)
    if (Array.isArray(value)) return value.map(json)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [
        whole(name),
        isSecretName(name) ? hidden(inner) : json(inner),
      ]),
    )
  }
  /** The value of a field that is secret by its name: every text in it goes. */
  const hidden = (value: unknown): unknown =>
    typeof value === 'string' && value !== ''
      ? marker
      : Array.isArray(value)
        ? value.map(hidden)
        : json(value)
  const bytes = (): ChunkRedactor => {
    const keys = keyFollower(marker)
    return new ByteRedactor({ clean: (text) => clean(text, keys), find, longest: literals.longest })
  }

  return {
    text: whole,
    lines: () => {
      const keys = keyFollower(marker)
      return (line) => clean(line, keys)
    },
    bytes,
    stream: () => {
      const redactor = bytes()
      return new Transform({
        transform: (chunk: Buffer, _encoding, done) => {
          done(null, redactor.push(chunk))
        },
        flush: (done) => {
          done(null, redactor.end())
        },
      })
    },
    json: <T>(value: T) => json(value) as T,
    secrets: (text) => [
      ...literals.find(text).map((range) => ({ ...range, known: true })),
      ...findFormats(text).map((range) => ({ ...range, known: false })),
    ],
  }
}

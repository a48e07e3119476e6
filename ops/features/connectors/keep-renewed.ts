// A secret that its service renewed during a check: from the process that checks to the run that may write it.
import { z } from 'zod'
import { connectorName } from '#shared/connectors'
import type { ConnectorName } from '#shared/connectors/list'
import { Problem } from '#shared/errors'
import { sha256Of } from '#ops/base/sha256'
import { candidateOf } from './common/secret-folder.ts'
import { secretsOf } from './secret-files.ts'
import type { SecretWork } from './store-secret.ts'

export const renewalSchema = z.strictObject({
  name: connectorName,
  /** In the folder of the secrets: the secret in use, or the candidate. */
  file: z.string(),
  /** sha256 of what it held when it was renewed. */
  was: z.string(),
  content: z.string(),
})
export type Renewal = z.infer<typeof renewalSchema>

/** The secrets of this connector are not renewed any more by the process that checks. */
const exchangedSchema = z.strictObject({ exchanged: connectorName })
export const exchangedLine = (name: ConnectorName): string =>
  JSON.stringify({ exchanged: name } satisfies z.input<typeof exchangedSchema>)

/** What a run does for a process that uses secrets which their service may renew. No other process uses them then. */
export interface Exchange {
  /** Writes a renewed secret. @throws {Problem} as `keepRenewed` */
  readonly keep: (renewal: Renewal) => void | Promise<void>
  /** Another process may use the secrets of this connector. */
  readonly end: (name: ConnectorName) => void | Promise<void>
}

/** Most bytes of the renewals of one check. A larger output is an error of the check. */
const maxBytes = 4 * 1024 * 1024

/**
 * Reads renewals from the pipe of the process that checks, and keeps each at once: the old secret has ended by then.
 * The last line is the result of the check, and no renewal.
 */
export class RenewalReader {
  readonly #exchange: Exchange
  #text = ''
  #bytes = 0
  #done: Promise<void> = Promise.resolve()

  constructor(exchange: Exchange) {
    this.#exchange = exchange
  }

  push(piece: Buffer): void {
    this.#bytes += piece.length
    if (this.#bytes > maxBytes) return
    const lines = (this.#text + piece.toString('latin1')).split('\n')
    this.#text = lines.pop() ?? ''
    for (const line of lines) {
      const read = lineOf(Buffer.from(line, 'latin1').toString())
      if (read === null) continue
      if ('exchanged' in read) this.end(read.exchanged)
      else this.add(read)
    }
  }

  /** Keeps one after the other. */
  add(renewal: Renewal): void {
    this.#then(() => this.#exchange.keep(renewal))
  }

  /** The same once all that came before is kept. */
  end(name: ConnectorName): void {
    this.#then(() => this.#exchange.end(name))
  }

  /**
   * Runs `work`; returns once all that came meanwhile is kept, however it ended.
   * @throws the first that could not be kept: the connector has to be connected again
   */
  async during<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } finally {
      await this.#done
    }
  }

  #then(next: () => void | Promise<void>): void {
    const before = this.#done
    this.#done = (async () => {
      await before
      await next()
    })()
    this.#done.catch(() => undefined) // `during` throws it
  }
}

const lineSchema = z.union([renewalSchema, exchangedSchema])

/** What the process printed as its result: the last line that is for no reader of renewals. */
export const resultIn = (stdout: string): string =>
  stdout
    .trimEnd()
    .split('\n')
    .findLast((line) => lineOf(line) === null) ?? ''

function lineOf(line: string): z.infer<typeof lineSchema> | null {
  try {
    return lineSchema.safeParse(JSON.parse(line)).data ?? null
  } catch {
    return null // the check reports a result that is not JSON; the text may hold a secret
  }
}

/**
 * Writes a renewed secret in place of the one that it was renewed from; when another lies there by now, it stays. The
 * process that checks owns its secrets and nothing else: this writes no other file for it, and nothing that is not such
 * a secret.
 * @throws {Problem} `action_no_result` when the process names another file, `connector_secret_invalid`; the system's
 *   error (ENOSPC, EROFS …)
 */
export function keepRenewed(
  { folder, settings }: Pick<SecretWork, 'folder' | 'settings'>,
  { name, file, was, content }: Renewal,
): void {
  const secret = secretsOf(name, settings).find((each) =>
    [each.name, candidateOf(each.name)].includes(file),
  )
  if (secret === undefined)
    throw new Problem(
      'action_no_result',
      'The check of the connectors wanted to write a file that is not its secret. Nothing was written.',
    )
  const bytes = Buffer.from(content)
  secret.validate(bytes)
  const now = folder.read(file)
  if (now !== null && sha256Of(now) === was) folder.write(file, bytes)
}

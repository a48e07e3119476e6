import type { ConnectorName } from '#shared/connectors/list'
import { Problem, toProblem } from '#shared/errors'
import type { CollectPart } from '#shared/phase0'
import { RenewalReader } from '../keep-renewed.ts'
import type { SecretOwner } from '../secret-owner.ts'
import { collectLine, maxLineBytes, mostKnown, type CollectLine } from './lines.ts'

/** Added to the time limit of a part for the start and the end of its program, in seconds. */
const startSeconds = 30

const connectorOf: Readonly<Record<CollectPart, ConnectorName>> = {
  library: 'kajabi',
  harvest: 'gmail',
}

type Limit = Extract<CollectLine, { type: 'end' }>['limit']

interface Collecting {
  readonly owner: SecretOwner
  /** Time limit of the part itself, in seconds. */
  readonly seconds: number
  readonly signal: AbortSignal
  /** Ids of messages that the run has already. */
  readonly known: Iterable<string>
  /**
   * Takes what was found, one line at a time; the program waits meanwhile.
   * @returns false: no more is taken, and the program is ended
   */
  readonly take: (
    line: Exclude<CollectLine, { type: 'end' | 'problem' | 'renewed' | 'exchanged' }>,
  ) => boolean
}

/**
 * Collects one part of Phase 0 in a separate process, see `SecretOwner`. Each of its lines is bounded and checked.
 * @returns the limit of host.json that ended it; `bytes` when `take` wanted no more
 * @throws {Problem} the class that the process reports; `cancelled`; `step_timeout`; `action_no_result` when it prints
 *   something else
 */
export async function collectAsSecretOwner(part: CollectPart, options: Collecting): Promise<Limit> {
  const { owner, seconds, signal, known } = options
  const { output, ended } = await owner.exchanging(
    [connectorOf[part]],
    signal,
    async (exchange) => {
      const renewals = new RenewalReader(exchange)
      const output = new CollectOutput(part, options.take, renewals)
      const ended = await renewals
        .during(() =>
          owner.hq(['phase0', `--collect=${part}`], {
            timeLimitSeconds: seconds + startSeconds,
            signal: AbortSignal.any([signal, output.signal]),
            input: JSON.stringify({ known: [...known].slice(-mostKnown) }),
            onBytes: (piece) => output.push(piece),
          }),
        )
        .catch((error: unknown) => {
          // It was ended because of its output, which says why.
          if (output.signal.aborted && !signal.aborted) return null
          throw error
        })
      return { output, ended }
    },
  )
  const end = output.end()
  if (end !== null) return end.limit
  if (ended?.timedOut)
    throw new Problem(
      'step_timeout',
      `The ${part} of Phase 0 exceeded its time limit and was stopped.`,
    )
  throw new Problem(
    'action_no_result',
    `The ${part} of Phase 0 ended with exit code ${String(ended?.exitCode ?? null)} and without a result.`,
    { evidence: ended?.stderrTail.split('\n') ?? [] },
  )
}

/** What the process prints: lines of bounded length, each of the form that is expected. */
class CollectOutput {
  readonly #part: CollectPart
  readonly #take: Collecting['take']
  readonly #renewals: RenewalReader
  readonly #stop = new AbortController()
  #rest: Buffer[] = []
  #restBytes = 0
  #end: { limit: Limit } | null = null
  #problem: Error | null = null

  constructor(part: CollectPart, take: Collecting['take'], renewals: RenewalReader) {
    this.#part = part
    this.#take = take
    this.#renewals = renewals
  }

  /** Fires when nothing more of the output is wanted. */
  get signal(): AbortSignal {
    return this.#stop.signal
  }

  push(piece: Buffer): void {
    let start = 0
    for (let end = piece.indexOf(10); end >= 0; end = piece.indexOf(10, start)) {
      this.#keep(piece.subarray(start, end))
      const line = Buffer.concat(this.#rest).toString()
      this.#rest = []
      this.#restBytes = 0
      start = end + 1
      this.#line(line)
    }
    this.#keep(piece.subarray(start))
  }

  /** @returns its last line; null: it did not say that it ended @throws what it reported, or what is wrong with it */
  end(): { readonly limit: Limit } | null {
    if (this.#problem !== null) throw this.#problem
    return this.#end
  }

  #keep(piece: Buffer): void {
    if (this.signal.aborted) return
    this.#restBytes += piece.length
    if (this.#restBytes > maxLineBytes) this.#fail('a line that is too long')
    else this.#rest.push(piece)
  }

  #line(text: string): void {
    if (this.signal.aborted || text === '') return
    const line = collectLine.safeParse(jsonOf(text)).data
    if (line === undefined || this.#end !== null)
      return this.#fail('a line that is not of the expected form')
    if (line.type === 'end') this.#end = { limit: line.limit }
    else if (line.type === 'renewed') this.#renewals.add(line.renewal)
    else if (line.type === 'exchanged') this.#renewals.end(line.name)
    else if (line.type === 'problem') this.#problem = new Problem(line.error_class, line.message)
    else this.#give(line)
  }

  #give(line: Parameters<Collecting['take']>[0]): void {
    try {
      if (this.#take(line)) return
      this.#end = { limit: 'bytes' }
    } catch (error) {
      this.#problem = toProblem(error) // such as a full disk
    }
    this.#stop.abort()
  }

  #fail(what: string): void {
    this.#problem = new Problem(
      'action_no_result',
      `The process that reads the ${this.#part} printed ${what} and was stopped.`,
    )
    this.#stop.abort()
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // not a line of the expected form; it is not repeated
  }
}

import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { Problem } from '#shared/errors'
import type { CheckRequest } from '../common/connector.ts'
import { requestPeer } from '../common/request-peer.ts'
import { gmailAccess } from './check-token.ts'
import { recordOf, type HarvestEnd, type HarvestOut, type MessageParts } from './harvest.ts'
import { scopeMissing } from './profile.ts'

/** Messages that are requested at once. */
const atOnce = 6
/** Most messages on one page of the list (users.messages.list). */
const pageSize = 500

/**
 * Reads the metadata of the messages that match the query from the API of Gmail. The text of a message is never
 * requested.
 * @throws {Problem} the classes of `gmailAccess` and `requestPeer`, `connector_refused`, `connector_scope_missing`,
 *   `connector_answer_unexpected`
 */
export async function harvestByApi(
  request: CheckRequest<'gmail'>,
  out: HarvestOut,
): Promise<HarvestEnd> {
  const { settings } = request
  const api = new GmailApi(request, (await gmailAccess(request)).accessToken)
  const seen = new Set<string>()
  let room = settings.harvest_max_messages
  let token: string | undefined
  for (let page = 0; page < settings.harvest_max_pages; page += 1) {
    const { messages, nextPageToken } = await api.list(settings.harvest_query, token)
    const ids = messages.map(({ id }) => id).filter((id) => !seen.has(id))
    for (const id of ids) seen.add(id)
    await readMessages(api, ids.slice(0, room), { request, out })
    if (ids.length > room || (ids.length === room && nextPageToken !== undefined)) return 'messages'
    if (nextPageToken === undefined) return null
    room -= ids.length
    token = nextPageToken
  }
  return 'pages'
}

/** In the order of the list, a few at a time. */
async function readMessages(
  api: GmailApi,
  ids: readonly string[],
  {
    request: { settings },
    out,
  }: { readonly request: CheckRequest<'gmail'>; readonly out: HarvestOut },
): Promise<void> {
  const parts = settings.harvest_fields.includes('attachments')
  for (let start = 0; start < ids.length; start += atOnce) {
    const some = ids.slice(start, start + atOnce)
    const read = await Promise.all(
      some.map(async (id) => (out.known.has(id) ? null : await api.message(id, parts))),
    )
    for (const [at, id] of some.entries()) {
      const message = read[at]
      if (out.known.has(id)) await out.keep(id)
      else if (message != null) await out.message(recordOf(message, settings))
    }
  }
}

const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/)
const listAnswer = z.looseObject({
  messages: z.array(z.looseObject({ id })).max(pageSize).default([]),
  nextPageToken: z.string().min(1).max(2000).optional(),
})

interface Part {
  readonly filename?: string | undefined
  readonly body?: { readonly size?: number | undefined } | undefined
  readonly parts?: readonly Part[] | undefined
}
const part: z.ZodType<Part> = z.looseObject({
  filename: z.string().optional(),
  body: z.looseObject({ size: z.number().int().nonnegative().optional() }).optional(),
  get parts() {
    return z.array(part).max(1000).optional()
  },
})
const messageAnswer = z.looseObject({
  id,
  threadId: id.optional(),
  labelIds: z.array(z.string()).default([]),
  /** Milliseconds since 1970, as text. */
  internalDate: z
    .string()
    .regex(/^-?\d{1,15}$/)
    .optional(),
  payload: z
    .intersection(
      part,
      z.looseObject({
        headers: z.array(z.looseObject({ name: z.string(), value: z.string() })).default([]),
      }),
    )
    .optional(),
})

/** The fields that are requested: neither the text of a message nor that of an attachment is among them. */
const partFields = (depth: number): string =>
  `filename,body/size${depth === 0 ? '' : `,parts(${partFields(depth - 1)})`}`
/** Parts within parts that are looked through for attachments. */
const deepest = 4

/** Answers that say: later. */
const busy = (status: number): boolean => status === 429 || status >= 500
/** Milliseconds before each further try, unless the service says how long. */
const waits = [1000, 2000, 4000, 8000]
/** Longest wait that a service may ask for, in seconds. */
const longestWait = 30

class GmailApi {
  readonly #request: CheckRequest<'gmail'>
  readonly #token: string

  constructor(request: CheckRequest<'gmail'>, token: string) {
    this.#request = request
    this.#token = token
  }

  async list(query: string, pageToken: string | undefined): Promise<z.output<typeof listAnswer>> {
    const answer = await this.#get('/gmail/v1/users/me/messages', {
      q: query,
      maxResults: String(pageSize),
      ...(pageToken === undefined ? {} : { pageToken }),
      fields: 'messages/id,nextPageToken',
    })
    const list = answer === null ? undefined : listAnswer.safeParse(answer).data
    if (list === undefined) throw this.#unexpected('a list of messages')
    return list
  }

  /** @returns null when it was deleted meanwhile */
  async message(wanted: string, withParts: boolean): Promise<MessageParts | null> {
    const answer = await this.#get(`/gmail/v1/users/me/messages/${wanted}`, {
      format: withParts ? 'full' : 'metadata',
      fields: `id,threadId,labelIds,internalDate,payload(headers,${withParts ? partFields(deepest) : 'mimeType'})`,
    })
    if (answer === null) return null
    const found = messageAnswer.safeParse(answer).data
    if (found?.id !== wanted) throw this.#unexpected('the message that was requested')
    const { threadId, labelIds, internalDate, payload } = found
    const header = (name: string): string =>
      payload?.headers.find((each) => each.name.toLowerCase() === name)?.value ?? ''
    return {
      id: wanted,
      thread: threadId ?? null,
      date: internalDate === undefined ? null : new Date(Number(internalDate)),
      from: header('from'),
      to: header('to'),
      subject: header('subject'),
      labels: labelIds,
      attachments: payload === undefined ? [] : attachmentsIn(payload, deepest),
    }
  }

  /** @returns the JSON of the answer; null for 404 */
  async #get(path: string, query: Readonly<Record<string, string>>): Promise<unknown> {
    const { settings, signal } = this.#request
    const url = new URL(path, settings.api_url)
    url.search = String(new URLSearchParams(query))
    for (let tries = 0; ; tries += 1) {
      const answer = await requestPeer(url, {
        signal,
        timeoutMs: settings.timeout_seconds * 1000,
        headers: { authorization: `Bearer ${this.#token}`, accept: 'application/json' },
      })
      const { status } = answer
      const text = await answer.text()
      if (status === 200) return jsonOf(text)
      if (status === 404) return null
      const later = busy(status) || (status === 403 && asksForLess(text))
      const wait = waits[tries]
      if (!later) throw this.#refused(status)
      if (wait === undefined) throw this.#busy(status, tries)
      await delay(waitOf(answer, wait), undefined, { signal }).catch(() => signal.throwIfAborted())
    }
  }

  get #host(): string {
    return new URL(this.#request.settings.api_url).host
  }

  #refused(status: number): Problem {
    if (status === 403) return scopeMissing(this.#request.settings.scope)
    if (status === 401)
      return new Problem('connector_refused', `${this.#host} refused the token (401).`)
    return new Problem(
      'connector_answer_unexpected',
      `${this.#host} answered ${status} to a request for messages. What was read so far is kept.`,
    )
  }

  #busy(status: number, tries: number): Problem {
    return new Problem(
      'connector_unreachable',
      `${this.#host} answered ${status}, also to ${tries} further tries. What was read so far is kept.`,
    )
  }

  #unexpected(what: string): Problem {
    return new Problem(
      'connector_answer_unexpected',
      `${this.#host} did not answer with ${what}. What was read so far is kept.`,
    )
  }
}

/** The reasons by which Gmail says with 403 that it is asked too often. */
const limitReasons = new Set(['rateLimitExceeded', 'userRateLimitExceeded'])
const errorAnswer = z.looseObject({
  error: z.looseObject({ errors: z.array(z.looseObject({ reason: z.string() })) }),
})
const asksForLess = (text: string): boolean =>
  errorAnswer
    .safeParse(jsonOf(text))
    .data?.error.errors.some(({ reason }) => limitReasons.has(reason)) ?? false

/** @returns milliseconds */
function waitOf(answer: Response, otherwise: number): number {
  const seconds = Number(answer.headers.get('retry-after') ?? 'none')
  return Number.isInteger(seconds) && seconds >= 0
    ? Math.min(seconds, longestWait) * 1000
    : otherwise
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // the caller says what it expected; the text is not repeated
  }
}

const attachmentsIn = (
  { filename, body, parts = [] }: Part,
  depth: number,
): MessageParts['attachments'] => [
  ...(filename === undefined || filename === '' ? [] : [{ name: filename, size: body?.size ?? 0 }]),
  ...(depth === 0 ? [] : parts.flatMap((each) => attachmentsIn(each, depth - 1))),
]

import type { FetchMessageObject, ImapFlow, MessageStructureObject, SearchObject } from 'imapflow'
import { Problem } from '#shared/errors'
import type { CheckRequest } from '../common/connector.ts'
import { recordOf, type HarvestEnd, type HarvestOut, type MessageParts } from './harvest.ts'
import { imapAccess } from './check-imap.ts'
import { imapSession } from './imap-login.ts'
import { searchOf } from './search-query.ts'

/** Messages of one request. */
const pageSize = 100
/** Bytes that the metadata of one message may take, on average. */
const bytesPerMessage = 8 * 1024
/** Bytes for the login, the list of mailboxes and the answer to the search. */
const bytesForRest = 8 * 1024 * 1024

/**
 * Reads the metadata of the messages that match the query over IMAP, without changing their flags. The text of a
 * message is never requested. On Gmail the mailbox is the one with all mail, elsewhere the inbox.
 * @throws {Problem} the classes of `imapAccess` and `imapSession`, `config_invalid` for a query that only Gmail can
 *   answer
 */
export async function harvestByImap(
  request: CheckRequest<'gmail'>,
  out: HarvestOut,
): Promise<HarvestEnd> {
  const { settings } = request
  const { server, login } = imapAccess(request)
  const limited = { ...login, limitMs: settings.timeout_seconds * 1000 }
  return await imapSession(server, limited, {
    verifyOnly: false,
    maxBytes: bytesForRest + settings.harvest_max_messages * bytesPerMessage,
    purpose: 'a harvest',
    run: async (client) => {
      const mailbox = await client.mailboxOpen(await allMail(client), { readOnly: true })
      const uids = await matching(client, request, `${server.host}:${server.port}`)
      const { harvest_max_messages: most, harvest_max_pages: pages } = settings
      const bound = Math.min(most, pages * pageSize)
      const wanted = uids.slice(0, bound)
      for (let start = 0; start < wanted.length; start += pageSize)
        await readMessages(client, wanted.slice(start, start + pageSize), {
          request,
          out,
          uidValidity: String(mailbox.uidValidity),
        })
      if (uids.length <= bound) return null
      return bound === most ? 'messages' : 'pages'
    },
  })
}

const allMail = async (client: ImapFlow): Promise<string> =>
  (await client.list()).find(({ specialUse }) => specialUse === '\\All')?.path ?? 'INBOX'

/** @returns the numbers of the messages, newest first */
async function matching(
  client: ImapFlow,
  { settings: { harvest_query } }: CheckRequest<'gmail'>,
  peer: string,
): Promise<readonly number[]> {
  const search = searchFor(harvest_query, client.capabilities.has('X-GM-EXT-1'))
  const uids = await client.search(search, { uid: true })
  if (!Array.isArray(uids))
    throw new Problem(
      'connector_answer_unexpected',
      `${peer} did not answer the search for messages. What was read so far is kept.`,
    )
  return uids.toSorted((a, b) => b - a)
}

function searchFor(query: string, ofGmail: boolean): SearchObject {
  if (!ofGmail) return searchOf(query, new Date())
  return query.trim() === '' ? { all: true } : { gmraw: query }
}

interface Reading {
  readonly request: CheckRequest<'gmail'>
  readonly out: HarvestOut
  readonly uidValidity: string
}

async function readMessages(
  client: ImapFlow,
  uids: readonly number[],
  { request: { settings }, out, uidValidity }: Reading,
): Promise<void> {
  // The ids of Gmail are only known from an answer; its metadata comes with it, in the same request.
  const found = await client.fetchAll(
    uids.join(','),
    {
      uid: true,
      internalDate: true,
      envelope: true,
      threadId: true,
      labels: settings.harvest_fields.includes('labels'),
      bodyStructure: settings.harvest_fields.includes('attachments'),
    },
    { uid: true },
  )
  for (const message of found.toSorted((a, b) => b.uid - a.uid)) {
    const parts = partsOf(message, uidValidity)
    if (out.known.has(parts.id)) await out.keep(parts.id)
    else await out.message(recordOf(parts, settings))
  }
}

/** Gmail says its ids over IMAP in decimal, and in its API in hexadecimal digits. */
const hexOf = (decimal: string | undefined): string | null =>
  decimal !== undefined && /^\d{1,20}$/.test(decimal) ? BigInt(decimal).toString(16) : null

const people = (list: readonly { name?: string | undefined; address?: string | undefined }[]) =>
  list
    .map(({ name = '', address = '' }) => (name === '' ? address : `${name} <${address}>`))
    .join(', ')

const partsOf = (
  { uid, emailId, threadId, internalDate, envelope, labels, bodyStructure }: FetchMessageObject,
  uidValidity: string,
): MessageParts => ({
  id: hexOf(emailId) ?? `${uidValidity}-${uid}`,
  thread: hexOf(threadId),
  date: internalDate === undefined ? null : new Date(internalDate),
  from: people(envelope?.from ?? []),
  to: people(envelope?.to ?? []),
  subject: envelope?.subject ?? '',
  labels: [...(labels ?? [])],
  attachments: bodyStructure === undefined ? [] : attachmentsIn(bodyStructure),
})

const attachmentsIn = ({
  dispositionParameters,
  parameters,
  size,
  childNodes = [],
}: MessageStructureObject): MessageParts['attachments'] => {
  const name = dispositionParameters?.['filename'] ?? parameters?.['name'] ?? ''
  return [...(name === '' ? [] : [{ name, size: size ?? 0 }]), ...childNodes.flatMap(attachmentsIn)]
}

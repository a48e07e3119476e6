import type { IncomingMessage, ServerResponse } from 'node:http'

/** One message as the API of Gmail has it. */
export interface PeerMessage {
  readonly id: string
  readonly subject: string
  readonly attachments?: readonly { readonly filename: string; readonly size: number }[]
}

/** The messages of a mailbox behind the API of Gmail: list with pages, and get. */
export class MailboxPeer {
  messages: readonly PeerMessage[] = []
  /** Messages on one page of the list. */
  pageSize = 500
  /** Path and query of every request. */
  readonly requests: string[] = []
  /** Answers in place of the mailbox. @returns false: the mailbox answers */
  instead: (request: IncomingMessage, response: ServerResponse) => boolean = () => false

  reset(): void {
    this.messages = [
      {
        id: '18c0ffee00000002',
        subject: 'Hello',
        attachments: [{ filename: 'a.pdf', size: 1234 }],
      },
      { id: '18c0ffee00000001', subject: '<b>Bold</b> & "quoted"' },
    ]
    this.pageSize = 500
    this.requests.length = 0
    this.instead = () => false
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    this.requests.push(request.url ?? '')
    if (this.instead(request, response)) return
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://peer')
    const id = pathname.split('/messages/')[1]
    const found =
      id === undefined
        ? this.#page(Number(searchParams.get('pageToken') ?? '0'))
        : this.#message(id)
    response
      .writeHead(found === null ? 404 : 200, { 'content-type': 'application/json' })
      .end(JSON.stringify(found ?? { error: { code: 404 } }))
  }

  #page(start: number): object {
    const end = start + this.pageSize
    return {
      messages: this.messages.slice(start, end).map(({ id }) => ({ id })),
      ...(end < this.messages.length ? { nextPageToken: String(end) } : {}),
    }
  }

  #message(wanted: string): object | null {
    const found = this.messages.find(({ id }) => id === wanted)
    if (found === undefined) return null
    return {
      id: found.id,
      threadId: found.id,
      labelIds: ['INBOX'],
      internalDate: String(Date.UTC(2026, 10, 29)),
      payload: {
        headers: [
          { name: 'From', value: 'Grace <grace@example.test>' },
          { name: 'To', value: 'team@example.test' },
          { name: 'Subject', value: found.subject },
        ],
        parts: (found.attachments ?? []).map(({ filename, size }) => ({
          filename,
          body: { size },
        })),
      },
    }
  }
}

/** The mailbox of an IMAP peer: what a client that only reads asks for (RFC 3501; Gmail's X-GM-EXT-1). */
export class ImapMailbox {
  /** Gmail: its own search, ids and labels, and a mailbox with all mail. */
  gmail = true
  /** Numbers of its messages. */
  uids: readonly number[] = [11, 12]
  /** Answers the search with this status in place of OK. */
  searchStatus = 'OK'
  /** Whole lines that clients sent, without tags. */
  readonly commands: string[] = []

  capability(): string {
    return this.gmail ? ' SPECIAL-USE X-GM-EXT-1' : ''
  }

  /** @returns the answer to a command; null: it is not about the mailbox */
  answer(tag: string, command: string): string | null {
    this.commands.push(command)
    const done = `${tag} OK done\r\n`
    if (/^LIST "" ""$/.test(command)) return `* LIST (\\Noselect) "/" ""\r\n${done}`
    if (/^(?:LIST|LSUB) /.test(command))
      return `* LIST () "/" INBOX\r\n${this.gmail ? '* LIST (\\All) "/" "[Gmail]/Alle"\r\n' : ''}${done}`
    if (command.startsWith('EXAMINE '))
      return `* ${this.uids.length} EXISTS\r\n* OK [UIDVALIDITY 7] it\r\n${tag} OK [READ-ONLY] done\r\n`
    if (command.startsWith('UID SEARCH '))
      return `* SEARCH ${this.uids.join(' ')}\r\n${tag} ${this.searchStatus} done\r\n`
    if (command.startsWith('UID FETCH ')) return `${this.#messages(command)}${done}`
    return null
  }

  #messages(command: string): string {
    const wanted = new Set((/^UID FETCH (\S+)/.exec(command)?.[1] ?? '').split(',').map(Number))
    const address = (name: string, user: string): string =>
      `((${name} NIL "${user}" "example.test"))`
    const grace = address('"Grace"', 'grace')
    return this.uids
      .map((uid, index) =>
        wanted.has(uid)
          ? `* ${index + 1} FETCH (UID ${uid} INTERNALDATE "29-Nov-2026 00:00:00 +0000"` +
            (this.gmail
              ? ` X-GM-MSGID ${255 + uid} X-GM-THRID 4096 X-GM-LABELS ("\\\\Inbox" Work)`
              : '') +
            ` ENVELOPE ("x" "=?utf-8?Q?Gr=C3=BC=C3=9Fe_${uid}?=" ${grace} ${grace} ${grace} ` +
            `${address('NIL', 'team')} NIL NIL NIL "<a@b>")` +
            ' BODYSTRUCTURE (("text" "plain" NIL NIL NIL "7bit" 3 1) ("application" "pdf" ' +
            '("name" "a.pdf") NIL NIL "base64" 1234 NIL ("attachment" ("filename" "a.pdf")) NIL) "mixed"))\r\n'
          : '',
      )
      .join('')
  }
}

// The elements of an XML text, one after the other. Nothing of the text is kept.
import sax, { type SaxHandlers, type SaxParser } from 'sax'
import { Unreadable } from './unreadable.ts'

/** Longest attribute, comment or declaration, in characters. Text has no limit: it is passed on in pieces. */
const maxToken = 8 * 1024 * 1024
/** Most elements that lie in one another. */
const maxDepth = 1000

export interface XmlTag {
  /** As written. */
  readonly name: string
  /** Without its prefix, in small letters, without hyphens. */
  readonly kind: string
  /** In the order of the text; names in small letters. */
  readonly attributes: ReadonlyMap<string, string>
  readonly line: number
}

export interface XmlHandler {
  open(tag: XmlTag): void
  /** A piece of text; one text may come in several. */
  text(piece: string): void
  comment(text: string): void
  close(): void
}

/**
 * Reads text that arrives in pieces. There is no DTD and there are no entities but the five of XML. Two faults of real
 * tools are tolerated: control characters, and a prefix that is bound to no namespace.
 */
export class XmlEvents {
  readonly #parser: SaxParser
  readonly #handler: XmlHandler
  #attributes = new Map<string, string>()
  #depth = 0
  #rooted = false

  constructor(handler: XmlHandler) {
    sax.MAX_BUFFER_LENGTH = maxToken
    this.#handler = handler
    // Only with namespaces is every attribute reported, the doubled ones too.
    this.#parser = sax.parser(true, { xmlns: true })
    this.#parser.ENTITIES = entities
    Object.assign(this.#parser, this.#handlers())
  }

  /** @throws {Unreadable} */
  write(text: string): void {
    this.#parser.write(text)
    // Otherwise the parser would collect a text up to its end.
    this.#parser.flush()
  }

  /** @throws {Unreadable} when the text is not complete */
  end(): void {
    this.#parser.close()
  }

  #handlers(): SaxHandlers {
    return {
      onerror: (error) => {
        if (!this.#isTolerated(error)) throw this.#fault(faultOf(error))
        this.#parser.error = null
      },
      ondoctype: () => {
        throw this.#fault('declares a DOCTYPE, which a test report does not have')
      },
      onsgmldeclaration: () => {
        throw this.#fault('holds a declaration, which a test report does not have')
      },
      onopentagstart: () => {
        this.#attributes = new Map()
      },
      onattribute: ({ name, value }) => this.#attribute(name.toLowerCase(), value),
      onopentag: (tag) => this.#open(tag),
      onclosetag: () => {
        this.#depth -= 1
        this.#handler.close()
      },
      oncomment: (text) => this.#handler.comment(text),
      ontext: (text) => this.#handler.text(text),
      oncdata: (text) => this.#handler.text(text),
    }
  }

  #attribute(name: string, value: string): void {
    if (this.#attributes.has(name))
      throw this.#fault(`is not well-formed XML (the attribute ${name.slice(0, 80)} stands twice)`)
    this.#attributes.set(name, value)
  }

  #open({ name, local }: { readonly name: string; readonly local: string }): void {
    if (this.#depth === 0 && this.#rooted)
      throw this.#fault('is not well-formed XML (a second root element)')
    this.#rooted = true
    this.#depth += 1
    if (this.#depth > maxDepth)
      throw this.#fault(`has more than ${maxDepth} elements in one another`)
    const kind = local.toLowerCase().replaceAll(/[-_]/g, '')
    this.#handler.open({ name, kind, attributes: this.#attributes, line: this.#line })
  }

  get #line(): number {
    return this.#parser.line + 1
  }

  #fault(why: string): Unreadable {
    return new Unreadable(why, this.#line)
  }

  #isTolerated({ message }: Error): boolean {
    if (message.startsWith('Unbound namespace prefix')) return true
    // A control character by its number. Its text is then the reference itself.
    return (
      message.startsWith('Invalid character entity') &&
      /^#(x[0-9a-f]+|[0-9]+)$/i.test(this.#parser.entity)
    )
  }
}

/** Without a prototype: `&constructor;` is no entity. */
const entities: Record<string, string> = Object.assign(Object.create(null), {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
})

/** The parser's message has lines with the position behind its first. */
function faultOf({ message }: Error): string {
  const first = message.split('\n')[0] ?? ''
  return first.startsWith('Max buffer length exceeded')
    ? `holds an attribute, a comment or a declaration of more than ${maxToken} characters`
    : `is not well-formed XML (${first.slice(0, 200)})`
}

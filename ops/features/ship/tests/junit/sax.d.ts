// The part of sax that HQ uses. The published types describe an older version and hide `ENTITIES`.
declare module 'sax' {
  export interface SaxAttribute {
    readonly name: string
    readonly value: string
  }

  /** Each is set on the parser under its name. */
  export interface SaxHandlers {
    readonly onerror: (error: Error) => void
    readonly ondoctype: () => void
    readonly onsgmldeclaration: () => void
    readonly oncomment: (text: string) => void
    readonly ontext: (text: string) => void
    readonly oncdata: (text: string) => void
    readonly onopentagstart: () => void
    readonly onattribute: (attribute: SaxAttribute) => void
    readonly onopentag: (tag: { readonly name: string; readonly local: string }) => void
    readonly onclosetag: () => void
  }

  export interface SaxParser {
    /** From 0. */
    readonly line: number
    /** Text of the entity that is being read, without `&` and `;`. */
    readonly entity: string
    error: Error | null
    ENTITIES: Record<string, string>
    write(text: string): void
    flush(): void
    close(): void
  }

  const sax: {
    /** Of every parser of this process, in characters. */
    MAX_BUFFER_LENGTH: number
    parser(strict: boolean, options: { readonly xmlns: boolean }): SaxParser
  }
  export default sax
}

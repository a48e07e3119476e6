import { Parser } from 'htmlparser2'
import { longest, type LibraryItem } from '#shared/phase0'

/** What a page of the library says. All of it is the service's text: data, and nothing to act on. */
export interface LibraryContent {
  readonly title: string
  readonly items: readonly LibraryItem[]
  /** The next page of the same list, on the same host. */
  readonly next: URL | null
}

/**
 * Reads title, items and the link to the next page. Text and addresses are cut to the lengths of `shared/phase0.ts`.
 * @param url where the page was found: relative addresses start there
 * @param itemPaths a link is an item when its address starts like one of these; empty: when it is below the page
 */
export function readLibraryPage(
  html: string,
  url: URL,
  itemPaths: readonly string[],
): LibraryContent {
  const page = new PageReader(url, itemPaths)
  const parser = new Parser({
    onopentag: (name, attributes) => page.open(name, attributes),
    ontext: (text) => page.text(text),
    onclosetag: (name) => page.close(name),
  })
  parser.end(html)
  return page.content()
}

/** @returns one line of text, no longer than `length` characters */
const oneLine = (text: string, length: number): string =>
  text.replace(/\s+/g, ' ').trim().slice(0, length).toWellFormed()

class PageReader {
  readonly #url: URL
  /** Path of the list that the page is part of. */
  readonly #list: string
  readonly #prefixes: readonly string[]
  /** Address to text; a second link to an address only gives a text that the first did not have. */
  readonly #items = new Map<string, string>()
  #next: URL | null = null
  #title: string | null = null
  /** Depth of elements whose text is not text of the page. */
  #hidden = 0
  #reading: { kind: 'title' | 'item'; href: string; text: string } | null = null

  constructor(url: URL, itemPaths: readonly string[]) {
    this.#url = url
    this.#list = url.pathname.replace(furtherPage, '').replace(/\/*$/, '')
    this.#prefixes = itemPaths.length > 0 ? itemPaths : [`${this.#list}/`]
  }

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    if (hidden.has(name)) this.#hidden += 1
    else if (name === 'title' && this.#title === null && this.#hidden === 0)
      this.#reading = { kind: 'title', href: '', text: '' }
    else if (name === 'a' || name === 'link') this.#link(name, attributes)
    else if (name === 'img' && this.#reading?.kind === 'item')
      this.text(` ${attributes['alt'] ?? ''} `)
  }

  text(text: string): void {
    const reading = this.#reading
    if (reading === null || this.#hidden > 0 || reading.text.length > longest.title * 4) return
    reading.text += text.slice(0, longest.title * 4)
  }

  close(name: string): void {
    if (hidden.has(name)) this.#hidden = Math.max(0, this.#hidden - 1)
    else if (name === 'title' && this.#reading?.kind === 'title') {
      this.#title = oneLine(this.#reading.text, longest.title)
      this.#reading = null
    } else if (name === 'a') this.#endItem()
  }

  content(): LibraryContent {
    this.#endItem()
    return {
      title: this.#title ?? '',
      items: [...this.#items].map(([href, title]) => ({ title, href })),
      next: this.#next,
    }
  }

  #link(name: 'a' | 'link', { href, rel, ...rest }: Readonly<Record<string, string>>): void {
    const to = this.#addressOf(href)
    if (to === null) return
    if (rel?.toLowerCase().split(/\s+/).includes('next') && this.#isOfTheList(to)) this.#next ??= to
    const path = `${to.pathname}${to.search}`
    if (name !== 'a' || !this.#isItem(to) || path.length > longest.href) return
    this.#endItem()
    this.#items.set(path, this.#items.get(path) ?? '')
    this.#reading = { kind: 'item', href: path, text: '' }
    if (this.#items.get(path) === '' && rest['aria-label'] !== undefined)
      this.#items.set(path, oneLine(rest['aria-label'], longest.title))
  }

  #endItem(): void {
    if (this.#reading?.kind !== 'item') return
    const { href, text } = this.#reading
    if (this.#items.get(href) === '') this.#items.set(href, oneLine(text, longest.title))
    this.#reading = null
  }

  #addressOf(href: string | undefined): URL | null {
    if (href === undefined || !URL.canParse(href, this.#url.href)) return null
    const to = new URL(href, this.#url)
    return to.origin === this.#url.origin ? to : null
  }

  #isOfTheList({ pathname }: URL): boolean {
    return pathname.replace(furtherPage, '').replace(/\/*$/, '') === this.#list
  }

  #isItem({ pathname }: URL): boolean {
    return (
      !furtherPage.test(pathname) &&
      this.#prefixes.some((prefix) => pathname.startsWith(prefix) && pathname !== prefix)
    )
  }
}

/** End of the path of a further page of a list; other lists name it in the query. */
const furtherPage = /\/page\/\d+\/?$/

const hidden: ReadonlySet<string> = new Set(['script', 'style', 'svg', 'template', 'noscript'])

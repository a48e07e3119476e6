import { useEffect, useEffectEvent, useRef } from 'react'

/** The heading of the page that is shown; null while the page has none yet. */
const heading = (): HTMLHeadingElement | null =>
  document.querySelector<HTMLHeadingElement>('#main h1')

/** Its text, with a space between its parts. */
const textOf = (element: Element): string =>
  [...element.childNodes]
    .map(({ textContent }) => textContent?.trim() ?? '')
    .filter(Boolean)
    .join(' ')

/** Calls `look` at every change of the page, until it returns true. @returns how to stop */
function watchPage(look: () => boolean): () => void {
  const main = document.getElementById('main')
  if (main === null || look()) return () => undefined
  const observer = new MutationObserver(() => {
    if (look()) observer.disconnect()
  })
  observer.observe(main, { subtree: true, childList: true, characterData: true })
  return () => observer.disconnect()
}

/**
 * A new page takes the focus to its heading, as soon as it has one; unless the operator focused something meanwhile.
 * @param page what is shown; the first one that the window opens with leaves the focus alone
 */
export function usePageFocus(page: string): void {
  const shown = useRef(page)
  useEffect(() => {
    if (shown.current === page) return undefined
    shown.current = page
    const before = document.activeElement
    return watchPage(() => {
      const now = document.activeElement
      if (now !== before && now !== document.body) return true
      const title = heading()
      if (title === null) return false
      title.tabIndex = -1
      title.focus()
      return true
    })
  }, [page])
}

/**
 * Reports a heading that changes while its page stays open: a run that ends, a proof that breaks. Of a new page
 * an empty text is reported, because its heading gets the focus.
 */
export function useHeadingChanges(page: string, report: (text: string) => void): void {
  const tell = useEffectEvent(report)
  const known = useRef({ page, text: '' })
  useEffect(
    () =>
      watchPage(() => {
        const title = heading()
        const text = title === null ? '' : textOf(title)
        const before = known.current
        if (text === '' || (text === before.text && page === before.page)) return false
        known.current = { page, text }
        if (before.text !== '') tell(page === before.page ? text : '')
        return false
      }),
    [page],
  )
}

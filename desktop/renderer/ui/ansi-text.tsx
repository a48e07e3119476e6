import Anser from 'anser'
import type { ReactElement } from 'react'
import { visibleText, writtenOut } from '../text/visible-text.ts'
import { bindStyles } from './styles.ts'
import styles from './ansi-text.module.css'

const css = bindStyles(styles)

interface Piece {
  readonly text: string
  readonly className: string
}

const sgr = /\u001b\[[0-9;]*m/
const colour = /^ansi-(?:bright-)?(black|red|green|yellow|blue|magenta|cyan|white)$/
const kept = new Set(['bold', 'dim', 'italic', 'underline', 'strikethrough'])

/**
 * Colour sequences become classes, every other control character is written out. Background colours, blinking and
 * hiding are not applied.
 */
function piecesOf(raw: string): Piece[] {
  if (!sgr.test(raw)) return [{ text: visibleText(raw), className: '' }]
  const safe = raw
    .split(/(\u001b\[[0-9;]*m)/)
    .map((part, index) => (index % 2 === 1 ? part : visibleText(part)))
    .join('')
  return Anser.ansiToJson(safe, { json: true, use_classes: true, remove_empty: true }).map(
    ({ content, fg, decorations }) => {
      const name = colour.exec(fg ?? '')?.[1]
      return {
        text: content,
        className: [
          name ? `ansi-${name}` : '',
          ...decorations.filter((each) => kept.has(each)).map((each) => `ansi-${each}`),
        ]
          .filter(Boolean)
          .join(' '),
      }
    },
  )
}

/** What is read of a line: for searching and copying. */
export const plainText = (raw: string): string =>
  raw.includes('\u001b') ? visibleText(raw.replace(/\u001b\[[0-9;]*m/g, '')) : visibleText(raw)

/**
 * One line of a log as spans. It is data: it never becomes markup.
 * @param find lower case; its occurrences are marked
 */
export function AnsiText({ text, find }: { text: string; find: string }): ReactElement {
  return (
    <>
      {piecesOf(text).map((piece, index) => (
        <span key={index} className={css(piece.className)}>
          {marked(piece.text, find)}
        </span>
      ))}
    </>
  )
}

function marked(text: string, find: string): (ReactElement | string)[] {
  const out: (ReactElement | string)[] = []
  const lower = find === '' ? '' : text.toLowerCase()
  let from = 0
  for (let at = find === '' ? -1 : lower.indexOf(find); at >= 0; at = lower.indexOf(find, from)) {
    if (at > from) out.push(...withSigns(text.slice(from, at), from))
    out.push(<mark key={`m${at}`}>{text.slice(at, at + find.length)}</mark>)
    from = at + find.length
  }
  if (from < text.length) out.push(...withSigns(text.slice(from), from))
  return out
}

function withSigns(text: string, offset: number): (ReactElement | string)[] {
  if (!text.includes('‹')) return [text]
  const out: (ReactElement | string)[] = []
  let from = 0
  for (const match of text.matchAll(writtenOut)) {
    out.push(
      text.slice(from, match.index),
      <span key={`s${offset + match.index}`} className={css('sign')}>
        {match[0]}
      </span>,
    )
    from = match.index + match[0].length
  }
  out.push(text.slice(from))
  return out
}

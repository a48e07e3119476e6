import type { SearchObject } from 'imapflow'
import { Problem } from '#shared/errors'

const dayMs = 24 * 60 * 60 * 1000
/** Days of a unit of `newer_than:` and `older_than:`. */
const daysOf: Readonly<Record<string, number>> = { d: 1, m: 30, y: 365 }

/** A word, or a phrase in quotes, perhaps after the name of an operator. */
const term = /(-?)(?:([a-z_]+):)?(?:"([^"]*)"|([^\s"]+))/giy

/**
 * A query of Gmail as a search of plain IMAP (RFC 3501 6.4.4), for a server that does not know Gmail's own search.
 * @param now `newer_than:` and `older_than:` count from here
 * @throws {Problem} `config_invalid` for an operator that plain IMAP cannot answer
 */
export function searchOf(query: string, now: Date): SearchObject {
  const all: SearchObject[] = []
  const text = query.trim()
  term.lastIndex = 0
  while (term.lastIndex < text.length) {
    const found = term.exec(text)
    if (found === null) throw cannot('it ends within a phrase')
    const [, minus, operator, phrase, word = ''] = found
    if (phrase === undefined && /^(?:or|and|around)$|[(){}]/i.test(word))
      throw cannot('this server does not know OR, brackets and braces')
    const one = oneOf(operator?.toLowerCase(), phrase ?? word, now)
    all.push(minus === '-' ? { not: one } : one)
    while (text[term.lastIndex] === ' ') term.lastIndex += 1
  }
  return all.length === 0 ? { all: true } : joined(all)
}

/** Both must match: what is not refused by either. */
const joined = (all: readonly SearchObject[]): SearchObject =>
  all.reduce((left, right) => ({ not: { or: [{ not: left }, { not: right }] } }))

function oneOf(operator: string | undefined, value: string, now: Date): SearchObject {
  switch (operator) {
    case undefined:
      return { text: value }
    case 'from':
    case 'to':
    case 'subject':
      return { [operator]: value }
    case 'after':
      return { since: dayOf(value) }
    case 'before':
      return { before: dayOf(value) }
    case 'newer_than':
      return { since: ago(value, now) }
    case 'older_than':
      return { before: ago(value, now) }
    default:
      throw cannot(`this server does not know the operator ${operator}:`)
  }
}

function ago(value: string, now: Date): Date {
  const [, count = '', unit = ''] = /^(\d{1,4})([dmy])$/.exec(value) ?? []
  const days = Number(count) * (daysOf[unit] ?? Number.NaN)
  if (!(days > 0)) throw cannot('newer_than: and older_than: take a number with d, m or y')
  return new Date(now.getTime() - days * dayMs)
}

function dayOf(value: string): Date {
  const [, year, month, day] = /^(\d{4})[/-](\d{1,2})[/-](\d{1,2})$/.exec(value) ?? []
  const at = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)))
  if (Number.isNaN(at.getTime())) throw cannot('after: and before: take a date like 2026/11/30')
  return at
}

const cannot = (why: string): Problem =>
  new Problem('config_invalid', `gmail.harvest_query of host.json: ${why}. No message was read.`)

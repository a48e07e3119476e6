import { rules } from '@secretlint/secretlint-rule-preset-recommend'
import type { Range } from './literal-matcher.ts'

/**
 * The rules of the maintained list that read text alone; the one for comments would let a log switch the others
 * off.
 */
const textRules = rules.filter((rule) => {
  const { id, supportedContentTypes } = rule.meta as {
    id: string
    supportedContentTypes?: readonly string[]
  }
  return (
    supportedContentTypes?.length === 1 &&
    supportedContentTypes[0] === 'text' &&
    !id.endsWith('filter-comments')
  )
})

let reports: { range: readonly [number, number]; values: string[] }[] = []

/** What a rule of the list is given: it reports through this, without the list's own asynchronous engine. */
const contextFor = () => ({
  sharedOptions: {},
  createTranslator: () => (messageId: string, data?: unknown) => ({
    message: messageId,
    messageId,
    data,
  }),
  ignore: () => undefined,
  report: ({
    range,
    message,
  }: {
    range: readonly [number, number]
    message: { data?: unknown }
  }) => {
    const values =
      typeof message.data === 'object' && message.data !== null
        ? Object.values(message.data).filter((value): value is string => typeof value === 'string')
        : []
    reports.push({ range, values })
  },
})

const scanners = textRules.map((rule) =>
  (rule.create as (context: unknown, options: object) => { file?(source: object): unknown })(
    contextFor(),
    {},
  ),
)

/** Number of rules in use. */
export const formatRules = scanners.length

/**
 * Where `text` holds something in the format of a known kind of secret (tokens of services, keys, passwords in
 * addresses).
 */
export function findFormats(text: string): Range[] {
  reports = []
  const source = {
    content: text,
    filePath: undefined,
    physicalFilePath: undefined,
    ext: '',
    contentType: 'text',
    hasBOM: false,
    getFilePath: () => undefined,
    getPhysicalFilePath: () => undefined,
  }
  for (const scanner of scanners) scanner.file?.(source)
  return reports
    .flatMap(({ range: [start, end], values }) => {
      const reported = text.slice(start, end)
      // Some rules report where their match begins, with the length of the secret in it: then the secret itself is
      // looked up.
      const shifted = values
        .filter((value) => value.length >= 8 && !reported.includes(value))
        .map((value) => ({
          start: text.indexOf(value, start),
          end: text.indexOf(value, start) + value.length,
        }))
        .filter((range) => range.start >= 0 && range.start <= end)
      return shifted.length > 0 ? shifted : [{ start, end }]
    })
    .flatMap((range) => withinQuotes(text, range))
}

/** A match that ran over the end of a quoted string is cut there, so that JSON stays JSON. */
function withinQuotes(text: string, { start, end }: Range): Range[] {
  let from = start
  while (from < end && /["'`]/.test(text.charAt(from))) from += 1
  for (let at = from; at < end; at += 1)
    if (text.charAt(at) === '"')
      return at > from ? [{ start: from, end: text.charAt(at - 1) === '\\' ? at - 1 : at }] : []
  return from < end ? [{ start: from, end }] : []
}

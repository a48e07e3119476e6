import { Problem } from '#shared/errors'
import { reviewAnswer, type Finding, type ReviewAnswer } from '#shared/verdict'
import { parseJson } from '#ops/base/files/json-file'
import type { ReviewBindings } from './review-prompt.ts'

const untouched = 'Nothing was pushed; main is as it was.'

/**
 * A name that stands twice in one object of a JSON text, which is well-formed. JSON.parse takes the last and says nothing,
 * so a refusal could be followed by an approval.
 */
function doubledName(text: string): string | null {
  const open: (Set<string> | null)[] = []
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"(?:\s*:)?|[{}[\]]/g)) {
    if (token === '{') open.push(new Set())
    else if (token === '[') open.push(null)
    else if (token === '}' || token === ']') open.pop()
    else if (token.endsWith(':')) {
      const name = String(JSON.parse(token.slice(0, -1)))
      const names = open.at(-1)
      if (names?.has(name)) return name
      names?.add(name)
    }
  }
  return null
}

/** @throws {Problem} `review_invalid`: empty, not JSON, off the schema, a name twice */
export function parseAnswer(text: string): ReviewAnswer {
  if (text.trim() === '')
    throw new Problem('review_invalid', `The reviewer gave an empty answer. ${untouched}`)
  const answer = parseJson(text, reviewAnswer, {
    errorClass: 'review_invalid',
    origin: 'The answer of the reviewer',
  })
  const doubled = doubledName(text)
  if (doubled !== null)
    throw new Problem(
      'review_invalid',
      `The answer of the reviewer says ${JSON.stringify(doubled)} twice, so it has no one meaning. ${untouched}`,
    )
  return answer
}

const oneLine = ({ severity, file, line, title, body }: Finding): string =>
  `${severity}: ${file}${line > 0 ? `:${line}` : ''} ${title}${body === '' ? '' : ` — ${body.replace(/\s+/g, ' ')}`}`

/**
 * Is this answer an approval of exactly this diff? Anything but a plain yes throws.
 * @throws {Problem} `review_mismatch`, `review_blocked`, `review_incomplete`
 */
export function judgeAnswer(answer: ReviewAnswer, bindings: ReviewBindings): void {
  const echoed = ['base_sha', 'head_sha', 'tree_sha', 'diff_sha256', 'nonce'] as const
  const wrong = echoed.filter((name) => answer[name] !== bindings[name])
  if (wrong.length > 0) {
    throw new Problem(
      'review_mismatch',
      `The answer of the reviewer is about something else: ${wrong.join(', ')} ${wrong.length === 1 ? 'differs' : 'differ'}. ${untouched}`,
      {
        evidence: wrong.map(
          (name) => `${name}: asked ${bindings[name]}, answered ${answer[name].slice(0, 200)}`,
        ),
      },
    )
  }
  const blocking = answer.findings.filter(({ severity }) => severity === 'blocking')
  if (answer.verdict !== 'APPROVED' || blocking.length > 0) {
    const evidence = answer.findings.map(oneLine).slice(0, 50)
    throw new Problem(
      'review_blocked',
      `The reviewer did not approve the change${blocking[0] ? `: ${blocking[0].title} (${blocking[0].file})` : answer.summary === '' ? '' : `: ${answer.summary}`}. ${untouched}`,
      { evidence },
    )
  }
  const reviewed = new Set(answer.files_reviewed)
  const unread = bindings.files.filter((file) => !reviewed.has(file))
  if (unread.length > 0)
    throw new Problem(
      'review_incomplete',
      `The reviewer approved without having reviewed ${unread.slice(0, 3).join(', ')}${unread.length > 3 ? ` and ${unread.length - 3} more` : ''}. ${untouched}`,
      { evidence: unread.slice(0, 50) },
    )
}

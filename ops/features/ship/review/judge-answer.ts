// Parses the reviewer's answer and decides whether it approves exactly this diff.
import { Problem } from '#shared/errors'
import { reviewAnswer, type Finding, type ReviewAnswer } from '#shared/verdict'
import { oneOrMany } from '#shared/plural'
import { parseJson } from '#ops/base/files/json-file'
import { untouched } from './no-review.ts'
import type { ReviewBindings } from './review-prompt.ts'

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
      `The answer of the reviewer contains ${JSON.stringify(doubled)} twice, so its meaning is ambiguous. ${untouched}`,
    )
  return answer
}

/**
 * Is this answer an approval of exactly this diff? Anything but a plain yes throws.
 * @throws {Problem} `review_mismatch`, `review_blocked`, `review_incomplete`
 */
export function judgeAnswer(answer: ReviewAnswer, bindings: ReviewBindings): void {
  const echoed = ['base_sha', 'head_sha', 'tree_sha', 'diff_sha256', 'nonce'] as const
  const wrong = echoed.filter((name) => answer[name] !== bindings[name])
  if (wrong.length > 0) {
    const differ = oneOrMany(wrong.length, 'differs', 'differ')
    throw new Problem(
      'review_mismatch',
      `The answer of the reviewer is about a different change: ${wrong.join(', ')} ${differ}. ${untouched}`,
      {
        evidence: wrong.map(
          (name) => `${name}: sent ${bindings[name]}, answered ${answer[name].slice(0, 200)}`,
        ),
      },
    )
  }
  const blocking = answer.findings.filter(({ severity }) => severity === 'blocking')
  if (answer.verdict !== 'APPROVED' || blocking.length > 0)
    throw new Problem(
      'review_blocked',
      `The reviewer did not approve the change${reasonOf(answer, blocking[0])}. ${untouched}`,
      { evidence: answer.findings.map(oneLine).slice(0, 50) },
    )
  const reviewed = new Set(answer.files_reviewed)
  const unread = bindings.files.filter((file) => !reviewed.has(file))
  if (unread.length === 0) return
  const more = unread.length > 3 ? ` and ${unread.length - 3} more` : ''
  throw new Problem(
    'review_incomplete',
    `The reviewer approved without having reviewed ${unread.slice(0, 3).join(', ')}${more}. ${untouched}`,
    { evidence: unread.slice(0, 50) },
  )
}

/**
 * A name that occurs twice in one object of a well-formed JSON text. JSON.parse silently takes the last one, so a
 * refusal could be followed by an approval.
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

/** Why the change was refused, as the end of a clause. */
function reasonOf({ summary }: ReviewAnswer, blocking: Finding | undefined): string {
  if (blocking) return `: ${blocking.title} (${blocking.file})`
  return summary === '' ? '' : `: ${summary}`
}

/** One finding on one line, for the evidence of a refusal. */
function oneLine({ severity, file, line, title, body }: Finding): string {
  const place = line > 0 ? `${file}:${line}` : file
  const rest = body === '' ? '' : ` — ${body.replace(/\s+/g, ' ')}`
  return `${severity}: ${place} ${title}${rest}`
}

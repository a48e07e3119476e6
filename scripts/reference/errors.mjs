// docs/reference/errors.md: every failure class, and what ends it.
import { errorClasses, errorRule } from '#shared/errors'
import { remediations } from '#shared/errors/remediations'
import { code, page, table } from './markdown.mjs'

export function errorsPage() {
  const classes = errorClasses.map((name) => {
    const row = errorRule(name)
    const { http, retryable, blocked, next_auto_fix: remedy, title, sentence } = row
    const kind = blocked ? 'blocked' : 'failed'
    return [
      code(name),
      title,
      `${sentence}.`,
      kind,
      retryable ? 'yes' : '',
      http ?? '',
      code(remedy),
    ]
  })
  const remedies = Object.entries(remediations).map(([id, { automatic, title }]) => [
    code(id),
    automatic ? 'HQ' : 'a person',
    title,
  ])
  return page('Failure classes', '`shared/errors/`', [
    'Every FAIL names one class (`error_class`) and one remedy (`next_auto_fix`). _Blocked_: a rule ' +
      'refused it, and nothing broke. _Retry_: the same run may be started again although nobody ' +
      'changed anything. _HTTP_: status of the answer when hostd refuses a request.',
    table(['class', 'title', 'what happened', 'shown as', 'retry', 'HTTP', 'remedy'], classes),
    '## Remedies',
    table(['id', 'who acts', 'what ends the failure'], remedies),
  ])
}

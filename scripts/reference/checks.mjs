// docs/reference/checks.md: the checks of doctor.
import { doctorChecks } from '#ops/features/doctor/checks'
import { code, page, table } from './markdown.mjs'

export function checksPage() {
  return page('Checks of doctor', '`ops/features/doctor/checks.ts`', [
    'Doctor runs them in parallel and adds the findings of the port audit. Each ends PASS, WARN, FAIL ' +
      'or SKIP; a check that does not apply to the host is skipped. The remedies are explained in ' +
      '[Failure classes](errors.md#remedies).',
    table(
      ['check', 'title', 'passes when', 'remedies'],
      doctorChecks.map(({ name, title, description, remedies }) => [
        code(name),
        title,
        description,
        remedies.map(code).join(', '),
      ]),
    ),
  ])
}

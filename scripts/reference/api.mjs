// docs/reference/openapi.json and api.md: the HTTP API of hostd, from the schemas its routes check with.
import { openApiDocument } from '../../hostd/openapi.ts'
import { actionIds, actionOf } from '#shared/actions'
import { code, page, table } from './markdown.mjs'

export const openApi = () => openApiDocument()

export function apiPage(document) {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [path, method.toUpperCase(), operation]),
  )
  return page('HTTP API of hostd', 'the routes of `hostd/` and `shared/actions.ts`', [
    'Bodies are JSON, and unknown fields are refused. Every route but `/health` requires the admin ' +
      `token in the header \`x-openclaw-admin-token\`. [openapi.json](openapi.json) has the schemas. ` +
      'The rules behind the API are in [Architecture](../ARCHITECTURE.md) and ' +
      '[Security](../SECURITY.md). The classes of refusals are in [Failure classes](errors.md).',
    '## Routes',
    table(
      ['route', 'does', 'parameters', 'body', 'answers'],
      operations.map(([path, method, operation]) => [
        code(`${method} ${path}`),
        operation.summary ?? '',
        (operation.parameters ?? []).map(parameter).join(', '),
        schemaName(operation.requestBody?.content),
        Object.entries(operation.responses).flatMap(answer).join(', '),
      ]),
    ),
    '## Actions',
    'What `POST /api/exec` starts. Two runs of one lane never overlap: the second request is answered ' +
      '409 and names the active run. In maintenance: _allowed_, _while no deploy runs_, or _DoD only_ ' +
      '(else refused with 503, unless the deploy that holds maintenance requests it). _Result_: kind of the result document. _Proof_: ' +
      'folder of the artifacts with the sealed bundle.',
    table(
      [
        'action',
        'title',
        'lane',
        'in maintenance',
        'time limit',
        'HQ asks first',
        'result',
        'proof',
      ],
      actionIds.map((id) => {
        const { title, lane, in_maintenance, timeout_seconds, destructive, result, bundle } =
          actionOf(id)
        return [
          code(id),
          title,
          code(lane),
          maintenanceWords[in_maintenance],
          `${timeout_seconds} s`,
          destructive ? 'yes' : '',
          result,
          bundle === null ? '' : code(`${bundle}/`),
        ]
      }),
    ),
  ])
}

const parameter = ({ name, in: place }) => `${code(name)} (${place})`

/** The refusal that every route shares is not repeated. */
const answer = ([status, { content }]) =>
  status === 'default' ? [] : [`${status} ${schemaName(content)}`.trim()]

function schemaName(content) {
  const [[type, { schema }] = ['', {}]] = Object.entries(content ?? {})
  if (schema === undefined) return ''
  if (schema.$ref) return code(schema.$ref.split('/').at(-1))
  if (schema.anyOf)
    return schema.anyOf.map((each) => schemaName({ [type]: { schema: each } })).join(' or ')
  return type === 'application/json' ? 'JSON' : code(type)
}

const maintenanceWords = { allowed: 'allowed', idle: 'while no deploy runs', dod_only: 'DoD only' }

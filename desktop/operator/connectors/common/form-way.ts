import { connectors } from '#shared/connectors/list'
import type { ConnectField, ConnectWay } from '#shared/connectors/ways'
import { Problem } from '#shared/errors'
import { knowSecrets } from '#ops/base/redact/redaction'
import type { Attempt } from './attempt.ts'
import type { Secret, WayOptions } from './way.ts'

/**
 * The way of a connector whose secret is what the person types: the fields of its row, and nothing else. A field with
 * `setting` goes into `settings` of the secret, by which the host will use it.
 * @throws {Problem} `connector_secret_invalid` for a value that its field refuses
 */
export async function obtainByForm(
  attempt: Attempt,
  { fields }: Pick<WayOptions, 'fields'>,
): Promise<readonly Secret[]> {
  const { connector, mode } = attempt.view()
  const ways: Readonly<Record<string, ConnectWay>> = connectors[connector].ways
  const way = ways[mode]
  if (way === undefined) throw new TypeError(`${connector} has no way ${mode}`)
  const content = await attempt.step('form', async () => ({
    detail: null,
    value: contentOf(way.fields, fields),
  }))
  return [{ kind: way.secret, bytes: new TextEncoder().encode(JSON.stringify(content)) }]
}

function contentOf(
  fields: readonly ConnectField[],
  typed: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const filled = fields.flatMap((field) => {
    const text = typed[field.name]?.trim()
    if (text === undefined) return []
    if (field.kind === 'secret') knowSecrets([text])
    const problem = field.problem?.(text) ?? null
    if (problem !== null)
      throw new Problem(
        'connector_secret_invalid',
        `${field.label}: ${problem} No request was sent, and the secret on the host is unchanged.`,
      )
    return [{ ...field, text }]
  })
  return {
    schema_version: 1,
    ...Object.fromEntries(
      filled.flatMap(({ name, text, setting }) => (setting === undefined ? [[name, text]] : [])),
    ),
    settings: Object.fromEntries(
      filled.flatMap(({ name, text, setting }) =>
        setting === undefined ? [] : [[name, setting(text)]],
      ),
    ),
  }
}

// docs/reference/configuration.md: every field of every configuration file, and every environment variable.
import { z } from 'zod'
import { enrolment, hostSettings, operatorSettings, projectConfig, trustFile } from '#shared/config'
import { hqVariables } from '#ops/base/env'
import { code, page, table } from './markdown.mjs'

const files = [
  { title: '`openclaw.config.json`, in the root of the repository', schema: projectConfig },
  { title: '`$OPENCLAW_ETC/host.json`, on the host', schema: hostSettings },
  { title: '`$OPENCLAW_ETC/trust.json`, on the host', schema: trustFile },
  { title: '`$OPENCLAW_HQ_HOME/settings.json`, on the laptop', schema: operatorSettings },
  { title: '`$OPENCLAW_HQ_HOME/enrolment.json`, on the laptop', schema: enrolment },
]

export function configurationPage() {
  const parts = files.flatMap(({ title, schema }) => {
    const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
    return [`## ${title}`, table(['field', 'form', 'default', 'meaning'], rowsOf(json, ''))]
  })
  const variables = Object.entries(hqVariables).map(([name, { form, fallback, meaning }]) => [
    code(name),
    form,
    fallback === undefined ? '' : code(fallback),
    meaning,
  ])
  return page('Configuration', '`shared/config/` and `ops/base/env.ts`', [
    'How the files belong together, with examples: [Configuration](../CONFIGURATION.md). A field that ' +
      'is not listed is refused. `[]` after a name: each entry of the list.',
    ...parts,
    '## Environment variables',
    table(['variable', 'form', 'default', 'meaning'], variables),
  ])
}

/** One row for each field, at any depth; an object without fields of its own is one row. */
function rowsOf(schema, prefix) {
  const required = new Set(schema.required ?? [])
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = `${prefix}${name}`
    const inner = objectIn(field)
    const nested = inner === null ? [] : rowsOf(inner.schema, `${path}${inner.list ? '[]' : ''}.`)
    const hasDefault = nested.length === 0 || required.has(name) || Array.isArray(field.default)
    const fallback = hasDefault ? defaultOf(field, required.has(name)) : ''
    return [[code(path), formOf(field), fallback, field.description ?? ''], ...nested]
  })
}

/** The object that a field holds: itself, one of its alternatives, or the entry of its list. */
function objectIn(field) {
  if (field.properties) return { schema: field, list: false }
  if (field.items?.properties) return { schema: field.items, list: true }
  const alternative = (field.anyOf ?? []).find(({ properties }) => properties)
  return alternative === undefined ? null : { schema: alternative, list: false }
}

function defaultOf({ default: value }, required) {
  if (value === undefined) return required ? 'required' : ''
  const text = JSON.stringify(value)
  return text.length > 160 ? `${value.length} entries, in the source` : code(text)
}

function formOf(field) {
  if (field.const !== undefined) return code(JSON.stringify(field.const))
  if (field.enum) return field.enum.map((each) => code(each)).join(', ')
  if (field.anyOf) return field.anyOf.map(formOf).join(' or ')
  if (field.type === 'array') return `list of ${formOf(field.items ?? {})}`
  if (field.type === 'object' && field.additionalProperties)
    return `object of ${formOf(field.additionalProperties)}`
  return `${field.type ?? 'text'}${rangeOf(field)}`
}

/** Bounds that zod writes for every whole number say nothing. */
function rangeOf({ type, minimum, maximum }) {
  if (type !== 'integer' && type !== 'number') return ''
  const high = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum
  const low = minimum === Number.MIN_SAFE_INTEGER ? undefined : minimum
  if (low !== undefined && high !== undefined) return ` ${low} to ${high}`
  if (low !== undefined) return ` from ${low}`
  return high === undefined ? '' : ` up to ${high}`
}

/** The settings of the host in a form: what its fields begin with. */
import type { ConnectField } from '#shared/connectors/ways'
import type { Typed } from './card-props.ts'
import type { CardModel } from './model.ts'

/** A setting as a person types it. */
export function settingText(value: unknown): string {
  if (Array.isArray(value)) return value.map(String).join(', ')
  return typeof value === 'string' ? value : ''
}

/** What a field shows: what was typed; until then what the host has. */
export const valueOf = ({ settings }: CardModel, field: ConnectField, values: Typed): string =>
  values[field.name] ?? (field.setting === undefined ? '' : settingText(settings[field.name]))

/** Of what was typed, the settings: another attempt begins with them. Nothing secret is kept. */
export const settingsAlone = (fields: readonly ConnectField[], values: Typed): Typed =>
  Object.fromEntries(
    fields.flatMap(({ name, setting }) => {
      const value = values[name]
      return setting !== undefined && value !== undefined ? [[name, value]] : []
    }),
  )

/** What the form sends: what was filled in, and every setting, because an empty one has a meaning too. */
export function filledIn(card: CardModel, fields: readonly ConnectField[], values: Typed): Typed {
  const all = fields.map((field) => ({ field, value: valueOf(card, field, values) }))
  return Object.fromEntries(
    all.flatMap(({ field, value }) =>
      value !== '' || field.setting !== undefined ? [[field.name, value]] : [],
    ),
  )
}

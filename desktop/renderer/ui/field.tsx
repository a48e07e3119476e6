import type { ReactElement } from 'react'
import { FieldError, Input, Label, Text, TextField } from 'react-aria-components'

/** One field of a form, with what is wrong with its text below it. */
export function Field({
  label,
  value,
  onChange,
  type = 'text',
  placeholder,
  description,
  problem = null,
}: {
  label: string
  value: string
  onChange: (value: string) => void
  type?: 'text' | 'url' | 'password'
  placeholder: string
  description?: string
  /** Why what stands in it is not accepted. */
  problem?: string | null
}): ReactElement {
  return (
    <TextField
      className="text-field"
      value={value}
      onChange={onChange}
      type={type}
      autoComplete="off"
      isInvalid={problem !== null}
    >
      <Label>{label}</Label>
      <Input placeholder={placeholder} spellCheck={false} />
      {description !== undefined && <Text slot="description">{description}</Text>}
      <FieldError className="field-error">{problem}</FieldError>
    </TextField>
  )
}

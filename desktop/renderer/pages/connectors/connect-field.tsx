import { useState, type ReactElement } from 'react'
import {
  Button,
  DropZone,
  FieldError,
  FileTrigger,
  Input,
  Label,
  Text,
  TextField,
  type DropItem,
} from 'react-aria-components'
import type { ConnectField as Field } from '#shared/connectors/ways'
import { Icon } from '../../ui/icons.tsx'
import { bindStyles } from '../../ui/styles.ts'
import styles from './connectors.module.css'

const css = bindStyles(styles)

interface Props {
  readonly field: Field
  readonly value: string
  /** HQ has a value from before. */
  readonly kept: boolean
  readonly onChange: (value: string) => void
}

/** One field of the form: text, a secret that is never shown, or a file that is chosen or dropped. */
export function ConnectField(props: Props): ReactElement {
  return props.field.kind === 'file' ? <FileField {...props} /> : <TypedField {...props} />
}

function TypedField({ field, value, kept, onChange }: Props): ReactElement {
  const problem = value === '' ? null : (field.problem?.(value) ?? null)
  return (
    <TextField
      className="text-field"
      value={value}
      onChange={onChange}
      type={field.kind === 'secret' ? 'password' : 'text'}
      autoComplete="off"
      isInvalid={problem !== null}
    >
      <Label>
        {field.label}
        {field.optional === true && !kept && <span className="quiet"> (optional)</span>}
      </Label>
      <Input
        placeholder={kept ? 'Kept from before; type to replace it' : field.hint}
        spellCheck={false}
      />
      <FieldError className="field-error">{problem}</FieldError>
    </TextField>
  )
}

/** The largest file that the form takes, bytes. */
const maxFileBytes = 65_536

/** Reads a chosen file. @returns its text, or why it is not taken */
async function readFile(file: File, field: Field): Promise<{ text: string } | { problem: string }> {
  if (file.size === 0) return { problem: `${file.name} is empty.` }
  if (file.size > maxFileBytes)
    return { problem: `${file.name} has more than 64 KiB, so it is not ${field.hint}.` }
  const text = await file.text()
  const problem = field.problem?.(text) ?? null
  return problem === null ? { text } : { problem }
}

function FileField({ field, value, kept, onChange }: Props): ReactElement {
  const [chosen, setChosen] = useState<string | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const take = async (file: File | undefined): Promise<void> => {
    if (file === undefined) return
    const read = await readFile(file, field)
    setChosen(file.name)
    setProblem('problem' in read ? read.problem : null)
    onChange('text' in read ? read.text : '')
  }
  const drop = async (items: readonly DropItem[]): Promise<void> => {
    const [first] = items
    if (first?.kind === 'file') await take(await first.getFile())
    else setProblem('That is not a file. Nothing was taken.')
  }
  return (
    <div className="text-field">
      <span className={css('field-label')}>
        {field.label}
        {field.optional === true && !kept && <span className="quiet"> (optional)</span>}
      </span>
      <DropZone
        aria-label={`Drop the ${field.label.toLowerCase()} here`}
        className={css('drop')}
        onDrop={({ items }) => {
          void drop(items)
        }}
      >
        <Icon name="file" small />
        <Text slot="label" className="ellipsis">
          {shownName({ chosen: value === '' ? null : chosen, kept, hint: field.hint })}
        </Text>
        <span className="grow" />
        <FileTrigger
          onSelect={(files) => {
            void take(files?.[0])
          }}
        >
          <Button className="button button-small">Choose or drop a file</Button>
        </FileTrigger>
      </DropZone>
      {problem !== null && (
        <span className="field-error" role="alert">
          {problem}
        </span>
      )}
    </div>
  )
}

function shownName({
  chosen,
  kept,
  hint,
}: {
  chosen: string | null
  kept: boolean
  hint: string
}): string {
  if (chosen !== null) return chosen
  return kept ? 'Kept from before; choose one to replace it' : hint
}

import type { ReactElement } from 'react'
import {
  Button,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  Select,
  SelectValue,
} from 'react-aria-components'
import { Icon } from './icons.tsx'
import { bindStyles } from './styles.ts'
import styles from './choose.module.css'

const css = bindStyles(styles)

interface Props {
  readonly label: string
  readonly value: string
  readonly options: readonly { readonly id: string; readonly title: string }[]
  readonly onChange: (id: string) => void
  readonly wide?: boolean
}

/** One of a few: a list behind a button. */
export function Choose({ label, value, options, onChange, wide = false }: Props): ReactElement {
  return (
    <Select
      className={css(`choose ${wide ? 'choose-wide' : ''}`)}
      value={value}
      onChange={(key) => {
        if (key !== null) onChange(String(key))
      }}
    >
      <Label className={wide ? '' : 'unseen'}>{label}</Label>
      <Button className="button">
        <SelectValue className="ellipsis" />
        <Icon name="down" small />
      </Button>
      <Popover className="popover">
        <ListBox className={css('choose-list')} items={options}>
          {({ id, title }) => (
            <ListBoxItem id={id} className="choice">
              {title}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </Select>
  )
}

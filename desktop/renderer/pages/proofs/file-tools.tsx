import type { ReactElement, ReactNode } from 'react'
import { Button, Radio, RadioGroup, ToggleButton } from 'react-aria-components'
import { CopyButton } from '../../ui/copy.tsx'
import { Icon } from '../../ui/icons.tsx'
import { textOfBytes } from '../../text/base64.ts'
import { grouped } from '../../text/format.ts'
import { visibleText } from '../../text/visible-text.ts'
import { bindStyles } from '../../ui/styles.ts'
import { download } from './download.ts'
import styles from './file-view.module.css'

const css = bindStyles(styles)

interface Props {
  readonly search: ReactNode
  /** The file has a readable form besides its raw text. */
  readonly readable: boolean
  readonly raw: boolean
  readonly onRaw: (raw: boolean) => void
  /** null where lines always wrap. */
  readonly wrap: { readonly on: boolean; readonly set: (on: boolean) => void } | null
  /** The chosen line; null for none. */
  readonly line: number | null
  readonly name: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** The bar above a file: search, readable or raw, the link to the chosen line, copy and download. */
export function FileTools(props: Props): ReactElement {
  const { search, readable, raw, onRaw, wrap, line, name, bytes } = props
  return (
    <div className={css('pane-bar file-bar')} role="toolbar" aria-label="File">
      {search}
      <span className="grow" />
      {readable && (
        <RadioGroup
          aria-label="Form"
          orientation="horizontal"
          className="segmented"
          value={raw ? 'raw' : 'readable'}
          onChange={(form) => onRaw(form === 'raw')}
        >
          <Radio value="readable" className="segment">
            Readable
          </Radio>
          <Radio value="raw" className="segment">
            Raw
          </Radio>
        </RadioGroup>
      )}
      {line !== null && (
        <CopyButton
          icon="link"
          label={`Copy a link to line ${grouped(line)}`}
          text={() => location.href}
        />
      )}
      {wrap && (
        <ToggleButton
          className="icon-button"
          aria-label="Wrap long lines"
          isSelected={wrap.on}
          onChange={wrap.set}
        >
          <Icon name="wrap" small />
        </ToggleButton>
      )}
      <CopyButton label="Copy the file" text={() => textOfBytes(bytes)} />
      <Button
        className="icon-button"
        aria-label={`Download ${visibleText(name)}`}
        onPress={() => download(name, bytes)}
      >
        <Icon name="download" small />
      </Button>
    </div>
  )
}

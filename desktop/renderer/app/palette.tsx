import { useEffect, useState, type ReactElement } from 'react'
import {
  Autocomplete,
  Dialog,
  Header,
  Input,
  Menu,
  MenuItem,
  MenuSection,
  Modal,
  ModalOverlay,
  SearchField,
  useFilter,
} from 'react-aria-components'
import { Icon, Mark } from '../ui/icons.tsx'
import type { PaletteItem } from './palette-item.ts'
import { usePaletteItems } from './palette-items.ts'
import { bindStyles } from '../ui/styles.ts'
import styles from './palette.module.css'

const css = bindStyles(styles)

/** ⌘K or Ctrl+K opens and closes it, from anywhere. */
export function usePaletteKey(): { open: boolean; setOpen: (open: boolean) => void } {
  const [open, setOpen] = useState(false)
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (
        event.key.toLowerCase() !== 'k' ||
        !(event.metaKey || event.ctrlKey) ||
        event.altKey ||
        event.shiftKey
      )
        return
      event.preventDefault()
      setOpen((was) => !was)
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [])
  return { open, setOpen }
}

export function Palette({ open, onClose }: { open: boolean; onClose: () => void }): ReactElement {
  return (
    <ModalOverlay
      className={css('scrim scrim-top')}
      isOpen={open}
      isDismissable
      onOpenChange={(now) => {
        if (!now) onClose()
      }}
    >
      <Modal className={css('palette')}>
        <Dialog aria-label="Search or run">
          <Choices onClose={onClose} />
        </Dialog>
      </Modal>
    </ModalOverlay>
  )
}

function Choices({ onClose }: { onClose: () => void }): ReactElement {
  const { contains } = useFilter({ sensitivity: 'base' })
  const [typed, setTyped] = useState('')
  const groups = usePaletteItems(typed.trim())
  const everyWord = (text: string, query: string): boolean =>
    query.split(/\s+/).every((word) => contains(text, word))
  const all = new Map(groups.flatMap(({ items }) => items.map((item) => [item.id, item] as const)))
  const choose = (id: string): void => {
    const item = all.get(id)
    if (!item || item.blocked !== undefined) return
    onClose()
    item.run()
  }
  return (
    // Escape closes, as the foot says; the search field alone would only empty itself.
    <div
      className={css('palette-body')}
      onKeyDownCapture={(event) => {
        if (event.key === 'Escape') {
          event.stopPropagation()
          onClose()
        }
      }}
    >
      <Autocomplete filter={everyWord} inputValue={typed} onInputChange={setTyped}>
        <SearchField aria-label="Search or run" className={css('palette-input')} autoFocus>
          <Icon name="search" />
          <Input placeholder="Search or run" spellCheck={false} />
        </SearchField>
        {/* It scrolls, so it takes the focus: react-aria chooses in the list while the field has it. */}
        <div className={css('palette-scroll')} tabIndex={0}>
          <Menu
            aria-label="Choices"
            className={css('palette-list')}
            onAction={(key) => choose(String(key))}
            renderEmptyState={() => <p className={css('soft palette-empty')}>Nothing matches.</p>}
          >
            {groups
              .filter(({ items }) => items.length > 0)
              .map(({ title, items }) => (
                <MenuSection key={title}>
                  <Header>{title}</Header>
                  {items.map((item) => (
                    <Choice key={item.id} item={item} />
                  ))}
                </MenuSection>
              ))}
          </Menu>
        </div>
        <div className={css('palette-foot')}>
          <span>
            <kbd>↑</kbd>
            <kbd>↓</kbd> choose
          </span>
          <span>
            <kbd>↵</kbd> run
          </span>
          <span className="grow" />
          <span>
            <kbd>Esc</kbd> close
          </span>
        </div>
      </Autocomplete>
    </div>
  )
}

function Choice({ item }: { item: PaletteItem }): ReactElement {
  const blocked = item.blocked !== undefined
  return (
    <MenuItem
      id={item.id}
      textValue={`${item.title} ${item.searchText ?? ''}`}
      className={css(`choice ${blocked ? 'choice-blocked' : ''}`)}
      {...(blocked ? { 'aria-label': `${item.title}: ${item.blocked}` } : {})}
    >
      {item.tone ? <Mark tone={item.tone} /> : <Icon name={item.icon} />}
      <span className="ellipsis">{item.title}</span>{' '}
      <span className={css('choice-end')}>{blocked ? item.blocked : item.end}</span>
    </MenuItem>
  )
}

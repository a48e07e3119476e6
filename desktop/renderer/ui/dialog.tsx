import type { ReactElement, ReactNode } from 'react'
import { Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components'
import { useCloseForAnotherHost } from './asked-of.ts'
import { CopyButton } from './copy.tsx'
import type { IconName } from './icons.tsx'
import { PushButton } from './push-button.tsx'
import { bindStyles } from './styles.ts'
import styles from './dialog.module.css'

const css = bindStyles(styles)

interface ConfirmProps {
  readonly open: boolean
  readonly title: string
  readonly children: ReactNode
  readonly confirm: string
  readonly icon?: IconName
  /** It destroys nothing: the confirming button is the plain main one. */
  readonly calm?: boolean
  readonly keep: string
  readonly onConfirm: () => void
  readonly onClose: () => void
}

/** Opens only before something is destroyed; the title names what. */
export function Confirm({
  open,
  title,
  children,
  confirm,
  icon,
  calm = false,
  keep,
  onConfirm,
  onClose,
}: ConfirmProps): ReactElement {
  useCloseForAnotherHost(open, onClose)
  return (
    <ModalOverlay
      className="scrim"
      isOpen={open}
      isDismissable
      onOpenChange={(now) => {
        if (!now) onClose()
      }}
    >
      <Modal className="dialog">
        <Dialog role="alertdialog" className="dialog-body">
          <Heading slot="title">{title}</Heading>
          <div className="soft">{children}</div>
          <div className="dialog-buttons">
            <PushButton onPress={onClose}>{keep}</PushButton>
            <PushButton
              kind={calm ? 'main' : 'danger'}
              {...(icon ? { icon } : {})}
              onPress={() => {
                onConfirm()
                onClose()
              }}
            >
              {confirm}
            </PushButton>
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  )
}

/** A large dialog for one file or list. */
export function Sheet({
  title,
  copy,
  children,
  onClose,
}: {
  title: string
  copy?: string
  children: ReactNode
  onClose: () => void
}): ReactElement {
  return (
    <ModalOverlay
      className="scrim"
      isOpen
      isDismissable
      onOpenChange={(now) => {
        if (!now) onClose()
      }}
    >
      <Modal className={css('dialog dialog-large')}>
        <Dialog className={css('sheet')}>
          <div className={css('sheet-head')}>
            <Heading slot="title" className="mono ellipsis">
              {title}
            </Heading>
            <span className="grow" />
            {copy !== undefined && <CopyButton text={copy} label="Copy the file" />}
            <PushButton small onPress={onClose}>
              Close
            </PushButton>
          </div>
          <div className={css('sheet-body')}>{children}</div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  )
}

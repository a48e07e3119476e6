import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent, type ReactElement } from 'react'
import {
  Dialog,
  Heading,
  Input,
  Label,
  Modal,
  ModalOverlay,
  Text,
  TextField,
} from 'react-aria-components'
import type { WitnessView } from '#shared/bridge'
import { useHq } from '../../bridge/context.ts'
import { Mark } from '../../ui/icons.tsx'
import { ProblemNote } from '../../ui/problem-note.tsx'
import { PushButton } from '../../ui/push-button.tsx'
import { Age } from '../../ui/time.tsx'
import { count } from '../../text/format.ts'
import { problemText } from '../../text/proof.ts'
import { visibleText } from '../../text/visible-text.ts'
import { bindStyles } from '../../ui/styles.ts'
import styles from './proofs.module.css'

const css = bindStyles(styles)

/** Fewest characters of a reason. */
const minReason = 3

/** What the witness found wrong with one chain. It stays until somebody acknowledges it and says why. */
export function AlarmCard({ witness }: { witness: WitnessView }): ReactElement {
  const [confirming, setConfirming] = useState(false)
  const { title, open } = witness
  return (
    <section className={css('note fail alarm')} role="alert" aria-label={`Alarm: ${title}`}>
      <Mark tone="fail" />
      <div className="grow">
        <h2>
          {visibleText(title)}{' '}
          {open.length === 1 ? 'contradicts' : `contradicts in ${count(open.length, 'place')}`} what
          HQ has witnessed
        </h2>
        <ul className={css('alarm-list')}>
          {open.map(({ code, run_id, counter, detail, raised_at }) => (
            <li key={`${code} ${run_id} ${counter}`}>
              <p>
                <b>{problemText[code]}</b> <code className="mono tone-text">{code}</code>{' '}
                <span className="quiet">
                  since <Age at={raised_at} />
                </span>
              </p>
              <p className="soft">{visibleText(detail)}</p>
            </li>
          ))}
        </ul>
        <p className="soft">
          Ships and deploys go on. The alarm stays, also when the chain agrees again, until it is
          acknowledged with a reason.
        </p>
      </div>
      <PushButton onPress={() => setConfirming(true)}>Acknowledge</PushButton>
      {confirming && <AcknowledgeDialog witness={witness} onClose={() => setConfirming(false)} />}
    </section>
  )
}

function AcknowledgeDialog({
  witness: { id, title, open, key_id, shown_key_id },
  onClose,
}: {
  witness: WitnessView
  onClose: () => void
}): ReactElement {
  const { bridge } = useHq()
  const client = useQueryClient()
  const [reason, setReason] = useState('')
  const { mutate, isPending, error } = useMutation({
    mutationFn: () =>
      bridge.call('proofs.acknowledge', {
        id,
        reason: reason.trim(),
        saw: { open: open.length, shown_key_id },
      }),
    onSuccess: async () => {
      await Promise.all([
        client.invalidateQueries({ queryKey: ['proofs'] }),
        client.invalidateQueries({ queryKey: ['overview'] }),
      ])
      onClose()
    },
  })
  const newKey = shown_key_id !== null && shown_key_id !== key_id
  const blocked = reason.trim().length < minReason ? 'a reason is needed' : null
  const onSubmit = (event: FormEvent): void => {
    event.preventDefault()
    if (blocked === null) mutate()
  }
  return (
    <ModalOverlay
      className="scrim"
      isOpen
      isDismissable
      onOpenChange={(now) => {
        if (!now) onClose()
      }}
    >
      <Modal className="dialog">
        <Dialog role="alertdialog" className="dialog-body">
          <form className="form" onSubmit={onSubmit}>
            <Heading slot="title">
              Acknowledge {count(open.length, 'alarm')} of {visibleText(title)}?
            </Heading>
            <p className="soft">
              From now on HQ trusts what {visibleText(title)} shows now. Bundles that were seen
              before and are gone stay lost.
            </p>
            {newKey && (
              <p className="soft">
                Its new key <code className="mono">{shown_key_id}</code> is trusted instead of{' '}
                <code className="mono">{key_id ?? 'none'}</code>.
              </p>
            )}
            <TextField
              className="text-field"
              value={reason}
              onChange={setReason}
              maxLength={500}
              autoFocus
            >
              <Label>Why this is expected</Label>
              <Input placeholder="The host was restored from last night's backup" />
              <Text slot="description">The reason is kept with the alarm.</Text>
            </TextField>
            {error && <ProblemNote error={error} />}
            <div className="dialog-buttons">
              <PushButton onPress={onClose}>Keep the alarm</PushButton>
              <PushButton kind="danger" type="submit" busy={isPending} blocked={blocked}>
                Acknowledge
              </PushButton>
            </div>
          </form>
        </Dialog>
      </Modal>
    </ModalOverlay>
  )
}

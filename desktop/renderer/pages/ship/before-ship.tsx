import { useQuery } from '@tanstack/react-query'
import { useState, type ReactElement } from 'react'
import { Switch } from 'react-aria-components'
import type { RepositoryState } from '#shared/bridge'
import { useLive } from '../../state/live.tsx'
import { useHq } from '../../bridge/context.ts'
import { settingsQuery } from '../../bridge/queries.ts'
import { Choose } from '../../ui/choose.tsx'
import { Icon } from '../../ui/icons.tsx'
import { NextActionEdit } from '../../ui/next-action-edit.tsx'
import { ProblemNote } from '../../ui/problem-note.tsx'
import { PushButton } from '../../ui/push-button.tsx'
import { count } from '../../text/format.ts'
import { visibleText } from '../../text/visible-text.ts'
import { useSave } from '../../state/use-save.ts'
import { bindStyles } from '../../ui/styles.ts'
import styles from './before-ship.module.css'

const css = bindStyles(styles)

/**
 * What the operator chooses before the commit is frozen: the one next action, and whether failures are repaired.
 * @param editing the editor is open from the start, because the last ship stopped for lack of a next action
 */
export function BeforeShip({ editing }: { editing: boolean }): ReactElement | null {
  const {
    overview: { repository },
  } = useLive()
  if (repository === null) return null
  return (
    <section className={css('before-ship')} aria-label="Before the next ship">
      <NextAction repository={repository} editing={editing} />
      <UntilGreen />
    </section>
  )
}

function NextAction({
  repository: { next_action, dirty_files },
  editing,
}: {
  repository: RepositoryState
  editing: boolean
}): ReactElement {
  const [open, setOpen] = useState(editing && next_action === null)
  return (
    <div className={css('before-part')}>
      <div className="next-kind">
        <Icon name="flag" small />
        Next action
      </div>
      {open ? (
        <NextActionEdit
          text={next_action ?? ''}
          commit
          blocked={
            dirty_files > 0 ? `${count(dirty_files, 'file')} changed and not committed` : null
          }
          onDone={() => setOpen(false)}
        />
      ) : (
        <div className={css('before-line')}>
          <p className={next_action === null ? 'soft' : ''}>
            {next_action === null
              ? 'None is set. A ship needs exactly one.'
              : visibleText(next_action)}
          </p>
          <PushButton small icon="edit" onPress={() => setOpen(true)}>
            {next_action === null ? 'Set it' : 'Change it'}
          </PushButton>
        </div>
      )}
    </div>
  )
}

const repairsInCopy =
  'repairs failing tests and blocking findings in a copy; ' +
  'every repair goes through all gates, and main moves only to one that passed.'

const bounds = [1, 2, 3, 5, 10]
const firstBound = 3

function UntilGreen(): ReactElement | null {
  const { bridge } = useHq()
  const until = useQuery(settingsQuery(bridge)).data?.until_green
  const { mutate, error } = useSave((repairs: number) =>
    bridge.call('settings.set_until_green', { repairs }),
  )
  if (!until) return null
  const { repairs, implementer } = until
  const shown =
    repairs > 0 && !bounds.includes(repairs)
      ? [...bounds, repairs].toSorted((a, b) => a - b)
      : bounds
  return (
    <div className={css('before-part')}>
      <div className={css('before-line')}>
        <Switch
          className={css('switch')}
          isSelected={repairs > 0}
          onChange={(on) => mutate(on ? firstBound : 0)}
        >
          <span className={css('switch-track')} />
          <span className="strong">Until green</span>
        </Switch>
        {repairs > 0 && (
          <Choose
            label="Most repairs"
            value={String(repairs)}
            options={shown.map((n) => ({ id: String(n), title: `at most ${count(n, 'repair')}` }))}
            onChange={(id) => mutate(Number(id))}
          />
        )}
      </div>
      <p className="quiet small">
        {repairs > 0
          ? `${visibleText(implementer)} ${repairsInCopy}`
          : 'Off: a failing test or a blocking finding ends the ship, and you fix it.'}
      </p>
      {error && <ProblemNote error={error} />}
    </div>
  )
}

import { actionOf, actions, type ActionId } from './actions.ts'
import { Problem } from './errors.ts'
import type { Run } from './run.ts'

/** What a caller wants hostd to start. `params` as the caller gave them: absent and empty mean the same. */
export interface StartRequest {
  readonly action: ActionId
  readonly params?: Readonly<Record<string, unknown>>
}

/**
 * The join rule (API of hostd, 409): a busy lane is joined only by a request for the same action with the same
 * parameters. Every other request is refused, because the result of the active run is not an answer to it.
 *
 * @param active the run that holds the lane, as hostd shows it
 * @throws {Problem} `lane_busy`, naming the run, who started it and since when
 */
export function requireSameRun({ action, params = {} }: StartRequest, active: Run): void {
  const sameAction = active.action === action
  if (sameAction && canonicalParams(action, params) === canonicalParams(action, active.params))
    return
  const { title } = actions[active.action]
  const since = active.started_at ?? active.requested_at
  const running = `${title} (${active.run_id}) is running, started by ${active.actor} at ${since}`
  throw new Problem(
    'lane_busy',
    sameAction
      ? `${running}, with other parameters: ${JSON.stringify(active.params)}. Nothing was started.`
      : `${running}, so ${actions[action].title} was not started.`,
  )
}

/**
 * Parameters as one text, whatever the order of their keys; unknown ones stay, so that they never compare as equal
 * by accident.
 */
function canonicalParams(action: ActionId, params: Readonly<Record<string, unknown>>): string {
  const parsed = actionOf(action).params.safeParse(params)
  return JSON.stringify(parsed.success ? parsed.data : params, (_key, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  )
}

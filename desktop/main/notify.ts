import { Notification } from 'electron'
import { errorRule } from '#shared/errors'
import { remediations } from '#shared/errors/remediations'
import { stepTitle } from '#shared/steps'
import type { RunEnd } from '../operator/host/deploys.ts'

/** Shows that a run has ended, where the system has notifications. @param onClick brings the window to the front */
export function notifyRunEnded({ title, result }: RunEnd, onClick: () => void): void {
  if (!Notification.isSupported()) return
  const { overall, error_class, step_failed, next_auto_fix } = result
  const blocked = error_class !== null && errorRule(error_class).blocked === true
  const notification = new Notification({
    title: `${title}: ${blocked ? 'BLOCKED' : overall}`,
    body:
      overall === 'PASS'
        ? 'All steps passed, with proof.'
        : [
            step_failed &&
              error_class &&
              `Stopped at ${stepTitle(step_failed)}: ${errorRule(error_class).title}.`,
            next_auto_fix && remediations[next_auto_fix].title,
          ]
            .filter(Boolean)
            .join(' '),
  })
  notification.on('click', onClick)
  notification.show()
}

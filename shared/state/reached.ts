/** Situations of the moment: the host is away, or something runs. */
import { span, timeOfDay } from '../format.ts'
import { isDeploy, titleOfDeploy } from './running.ts'
import { follow, retry, ship, wait } from './next.ts'
import { headline, joined, short, type Case } from './situation.ts'

export const unreachable: Case = (standing) => {
  const { reach, now, buttons, overview } = standing
  if (!reach.stale || reach.asOf === null) return null
  const asOf = `What you see of the host is as of ${timeOfDay(reach.asOf)}.`
  if (reach.state === 'cut')
    return {
      headline: headline('fail', 'HQ does not answer', asOf),
      next: wait('Wait for HQ.', 'This page connects again by itself.'),
    }
  const refused = reach.state === 'refused'
  const silent = `No answer for ${span(now - Date.parse(reach.asOf))}.`
  const known = reach.diagnosis === null ? null : reach.detail
  const why = known ?? (refused ? (reach.detail ?? '') : silent)
  const canShip = buttons.ship.state === 'ready' && (overview.repository?.ahead ?? 0) > 0
  return {
    headline: headline('fail', `${reach.name} is ${reach.away}`, `${why} ${asOf}`),
    next: canShip
      ? ship(
          standing,
          'A ship needs only this laptop and origin. HQ tries the host again by itself.',
        )
      : retry(refused || known !== null ? why : 'HQ tries again by itself.'),
  }
}

export const shipping: Case = ({ ship: running, subject, change }) => {
  if (running === null) return null
  const own = running.commit !== null && running.commit === change.commit
  return {
    headline: headline(
      'running',
      running.commit === null ? 'Shipping' : `Shipping ${short(running.commit)}`,
      joined(own && subject, 'nothing is pushed until the review approves it'),
    ),
    next: follow(
      'Open the ship',
      `/ship/${running.runId}`,
      'The ship runs; nothing else is needed now.',
    ),
  }
}

export const deploying: Case = ({ deploy, deployCommit, serves, serving, subject, change }) => {
  if (deploy === null) return null
  const bringsChange = deploy.action === 'deploy_and_verify' && deployCommit === change.commit
  const switched = deployCommit !== null && serving.commit === deployCommit
  const how = switched ? 'already, and is being verified' : 'until this is up'
  const until = isDeploy(deploy) ? `${serves ?? ''} ${how}` : serves
  return {
    headline: headline(
      'running',
      titleOfDeploy(deploy, deployCommit),
      joined(bringsChange && subject, serves && until),
    ),
    next: follow('Open the run', `/runs/${deploy.run_id}`, 'The run needs nothing from you now.'),
  }
}

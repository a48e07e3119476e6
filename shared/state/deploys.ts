/** What the Deploy page says first: what serves, what is due, and what the next press would do. */
import { actions } from '../actions.ts'
import { shortCommit } from '../ids.ts'
import { whyNot } from './buttons.ts'
import { lastDeploy, unreadableDeploy } from './gates.ts'
import { isDeploy, titleOfDeploy } from './running.ts'
import type { Standing } from './standing.ts'

const { button } = actions.deploy_and_verify

export interface PageHeadline {
  readonly title: string
  readonly sub: string
}

export function deployHeadline(standing: Standing): PageHeadline {
  const { deploy, deployCommit, reach } = standing
  if (deploy !== null && !reach.stale)
    return {
      title: titleOfDeploy(deploy, deployCommit),
      sub: isDeploy(deploy)
        ? 'The running version keeps serving until the new one is built and answers.'
        : 'Deploys wait until it has ended.',
    }
  return { title: titleOf(standing), sub: subOf(standing) }
}

/** The commit that is pushed and does not serve; null when the newest one serves. */
const dueCommit = ({ target, serving }: Standing): string | null =>
  target === serving.commit ? null : target

function hasFailed(standing: Standing): boolean {
  const last = lastDeploy(standing.overview.status)
  return last?.overall === 'FAIL' && last.target_sha === dueCommit(standing)
}

function titleOf(standing: Standing): string {
  const { serving, serves, pin } = standing
  if (serves === null)
    return serving.standing === 'unreadable'
      ? 'What serves is not known'
      : 'Nothing is deployed yet'
  if (serving.standing === 'unverified') return `${serves}, but is not verified`
  if (serving.standing === 'broken') return `${serves}, but its proof is broken`
  if (serving.standing === 'unreadable' || unreadableDeploy(standing.overview.status) !== null)
    return `${serves}, but the result of its deploy cannot be read`
  const due = dueCommit(standing)
  if (due === null) return `${serves}, nothing newer is pushed`
  if (pin?.holds === true && pin.from_sha === due) return `${shortCommit(due)} was rolled back`
  return `${shortCommit(due)} ${hasFailed(standing) ? 'failed to deploy' : 'waits to be deployed'}`
}

function subOf(standing: Standing): string {
  const { serves, serving, pin, buttons, target } = standing
  const whole = whyNot(buttons.deploy)
  if (whole !== null && pin?.holds !== true) return `${button}: ${whole}`
  if (serving.standing === 'nothing')
    return target === null
      ? 'A deploy takes what is on origin/main: ship first.'
      : `${button} fetches, builds, switches and verifies it, each step with proof.`
  if (serving.standing !== 'green')
    return whole ?? 'A green deploy verifies it and makes its proof.'
  if (pin?.holds === true && dueCommit(standing) !== null) return `${serves ?? 'Nothing'} instead.`
  if (dueCommit(standing) === null) return 'Deploying again would verify the same commit again.'
  return hasFailed(standing)
    ? `${serves ?? 'Nothing serves'} meanwhile. The next deploy fetches main again.`
    : `${button} fetches, builds, switches and verifies it, each step with proof.`
}

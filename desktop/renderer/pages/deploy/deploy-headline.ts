/** What the Deploy page says first: what serves, what is due, and what the next press would do. */
import { actions } from '#shared/actions'
import { deployTitle, isDeploy, targetOf } from '../../state/facts.ts'
import type { Live } from '../../state/live.tsx'
import { shortCommit } from '../../text/format.ts'

const { button } = actions.deploy_and_verify

interface Due {
  /** The pushed commit that does not serve yet; null when the newest one serves. */
  readonly commit: string | null
  readonly failed: boolean
  readonly pinned: boolean
}

export function deployHeadline(live: Live): { readonly title: string; readonly sub: string } {
  const { overview, facts } = live
  const target = targetOf(overview)
  const serving = overview.status?.host.serving ?? null
  const last = overview.status?.last_deploy.result ?? null
  const due: Due = {
    commit: target === serving ? null : target,
    failed: last?.overall === 'FAIL' && last.target_sha === target,
    pinned: facts.pin?.holds === true,
  }
  return {
    title: facts.deploy ? deployTitle(facts.deploy, target) : titleOf(serving, due),
    sub: subOf(live, serving, due),
  }
}

function titleOf(serving: string | null, { commit, failed, pinned }: Due): string {
  if (serving === null) return 'Nothing is deployed yet'
  if (commit === null) return `${shortCommit(serving)} serves, nothing newer is pushed`
  if (pinned) return `${shortCommit(commit)} was rolled back`
  return `${shortCommit(commit)} ${failed ? 'failed to deploy' : 'waits to be deployed'}`
}

function subOf({ facts }: Live, serving: string | null, { commit, failed, pinned }: Due): string {
  const serves = serving ? shortCommit(serving) : 'Nothing'
  if (facts.deploy && isDeploy(facts.deploy) && !facts.stale)
    return 'The running version keeps serving until the new one is built and answers.'
  if (facts.deployBlocked) return `${button}: ${facts.deployBlocked.whole}`
  if (pinned) return `${serves} serves instead.`
  if (commit === null) return 'Deploying again would verify the same commit again.'
  return failed
    ? `${serves} serves meanwhile. The next deploy fetches main again.`
    : `${button} fetches, builds, switches and verifies it, each step with proof.`
}

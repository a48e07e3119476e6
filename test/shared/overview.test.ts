import { describe, expect, it } from 'vitest'
import { whyNot } from '#shared/state/buttons'
import { composeOverview, type OverviewFacts } from '#shared/overview'
import { passedRunsOf, typicalDurations } from '#shared/typical-durations'
import { idAt } from '../desktop/renderer/support/documents.ts'
import { run, status } from '../desktop/renderer/support/scenes.ts'
import { stateNow } from '../support/state.ts'
import { done } from '../desktop/renderer/support/deploy-stories.ts'

const host = { ...status(), ...(done().answers['overview.get'] as { status?: object }).status }
const facts: OverviewFacts = {
  connection: {
    name: 'aiops-1',
    url: 'https://aiops-1.example',
    state: 'online',
    detail: null,
    latency_ms: 1,
    as_of: host.host.time,
  },
  status: host,
  deploy: null,
  passedRuns: passedRunsOf(host),
  laptop: null,
}

describe('the Overview of the host alone', () => {
  it('is about the newest ship that the host knows, and shows nothing of a laptop', () => {
    const shown = composeOverview(facts)
    const { place, repository, ship, upload, cancels, proof_alarms } = shown
    expect(place).toBe('console')
    expect(stateNow(shown).change.commit).toBe(
      host.last_ship.result?.git_head ?? host.state?.target_sha,
    )
    expect({ repository, ship, upload, cancels, proof_alarms }).toEqual({
      repository: null,
      ship: null,
      upload: { queued: 0, detail: null },
      cancels: undefined,
      proof_alarms: undefined,
    })
  })

  it('says why Deploy+Verify is blocked, or null', () => {
    const blocked = (changes: Partial<OverviewFacts>): string | null =>
      whyNot(stateNow(composeOverview({ ...facts, ...changes })).buttons.deploy)
    expect(blocked({})).toBeNull()
    const busy = {
      ...host,
      active_runs: [run({ run_id: idAt(5, '0123abcd'), action: 'rollback', lane: 'deploy' })],
    }
    expect(blocked({ status: busy })).toBe('Roll back is running already.')
    const offline = { ...facts.connection, state: 'offline' as const, detail: 'It is down.' }
    expect(blocked({ connection: offline })).toBe('It is down.')
  })
})

describe('the typical durations of a host', () => {
  it('are the medians of its passed deploys, and the steps of its last ship and deploy', () => {
    const at = (second: number): string => new Date(second * 1000).toISOString()
    const deploy = (seconds: number, ended: 'passed' | 'failed' = 'passed') =>
      run({
        run_id: idAt(seconds, '0123abcd'),
        action: 'deploy_and_verify',
        status: ended,
        started_at: at(0),
        finished_at: at(seconds),
      })
    const recent = [deploy(10), deploy(30), deploy(20), deploy(500, 'failed')]
    const none = { ...host, last_ship: { ...host.last_ship, result: null } }
    const shown = {
      ...none,
      last_deploy: { ...host.last_deploy, result: null },
      recent_deploys: recent,
    }
    expect(typicalDurations(passedRunsOf(shown))).toEqual({ deploy_and_verify: 20_000 })
  })
})

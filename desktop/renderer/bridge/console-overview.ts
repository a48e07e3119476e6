/** The Overview of the console page: what the host alone knows. */
import type { StatusReply } from '#shared/api'
import type { Overview } from '#shared/bridge'
import { Problem } from '#shared/errors'
import type { HostConnection } from '#shared/host-connection'
import type { HostdClient } from '#shared/hostd-client/client'
import { composeOverview } from '#shared/overview'
import type { Progress } from '#shared/progress'
import { passedRunsOf } from '#shared/typical-durations'

interface KnownStatus {
  readonly status: StatusReply
  readonly as_of: string
}

/**
 * @param follow where an active deploy is, as far as its events have shown
 * @returns reads the status and composes the Overview; while the host fails, from the last status
 */
export function consoleOverview(
  client: HostdClient,
  follow: (runId: string) => Progress,
): () => Promise<Overview> {
  const progressOf = (run_id: string): Overview['deploy'] => {
    const { step, commit } = follow(run_id)
    return { run_id, step: step ?? 'starting', commit }
  }
  let last: KnownStatus | null = null
  return async () => {
    const sent = performance.now()
    let latency_ms: number | null = null
    let problem: Problem | null = null
    try {
      const status = await client.status()
      latency_ms = Math.round(performance.now() - sent)
      last = { status, as_of: new Date().toISOString() }
    } catch (error) {
      if (!(error instanceof Problem) || last === null) throw error
      problem = error
    }
    const { status, as_of } = last
    const deploy = status.active_runs.find(({ action }) => action === 'deploy_and_verify')
    return composeOverview({
      connection: {
        name: status.host.name,
        url: location.origin,
        state: stateOf(problem),
        detail: problem?.message ?? null,
        latency_ms,
        as_of,
      },
      status,
      deploy: deploy ? progressOf(deploy.run_id) : null,
      passedRuns: passedRunsOf(status),
      laptop: null,
    })
  }
}

function stateOf(problem: Problem | null): HostConnection['state'] {
  if (problem === null) return 'online'
  return problem.errorClass === 'hostd_unreachable' ? 'offline' : 'refused'
}

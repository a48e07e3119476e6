import { statusReply, type StatusReply } from '#shared/api'
import type { Overview } from '#shared/bridge'
import { gatesOf } from '#shared/gates'
import { BridgeError } from './bridge-error.ts'
import type { ConsoleApi } from './console-api.ts'

const median = (values: readonly number[]): number | undefined =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]

/** What runs of this host usually take, from what its status tells. */
function usualOf(status: StatusReply): Record<string, number> {
  const usual: Record<string, number> = {}
  const whole = median(
    status.recent_deploys.flatMap(({ action, status: how, started_at, finished_at }) =>
      action === 'deploy_and_verify' && how === 'passed' && started_at && finished_at
        ? [Date.parse(finished_at) - Date.parse(started_at)]
        : [],
    ),
  )
  if (whole !== undefined) usual['deploy_and_verify'] = whole
  const add = (
    action: string,
    steps: readonly { name: string; status: string; duration_ms: number | null }[],
  ): void => {
    for (const { name, status: how, duration_ms } of steps)
      if (how === 'passed' && duration_ms !== null) usual[`${action}/${name}`] = duration_ms
  }
  add('deploy_and_verify', status.last_deploy.result?.steps ?? [])
  add('ship', status.last_ship.result?.steps ?? [])
  return usual
}

/**
 * The overview as the console composes it: no laptop, so no repository and no ship of its own.
 * @param stepOf the step an active deploy is in, as far as its events have told
 */
export function consoleOverview(
  api: ConsoleApi,
  stepOf: (runId: string) => string | null,
): () => Promise<Overview> {
  let last: { status: StatusReply; as_of: string } | null = null
  return async () => {
    const sent = performance.now()
    let latency_ms: number | null = null
    let problem: BridgeError | null = null
    try {
      const status = await api.json(statusReply, '/api/status')
      latency_ms = Math.round(performance.now() - sent)
      last = { status, as_of: new Date().toISOString() }
    } catch (error) {
      if (!(error instanceof BridgeError) || last === null) throw error
      problem = error
    }
    const status = last?.status ?? null
    const ship = status?.last_ship.result ?? null
    const commit = ship?.git_head ?? status?.state?.target_sha ?? null
    const deploy = status?.active_runs.find(({ action }) => action === 'deploy_and_verify')
    return {
      connection: {
        name: status?.host.name ?? null,
        url: location.origin,
        latency_ms,
        as_of: last?.as_of ?? null,
        state:
          problem === null
            ? 'online'
            : problem.errorClass === 'hostd_unreachable'
              ? 'offline'
              : 'refused',
        detail: problem?.message ?? null,
        deploy_blocked:
          problem === null
            ? null
            : problem.errorClass === 'hostd_unreachable'
              ? 'unreachable'
              : 'refused',
      },
      repository: null,
      ship: null,
      status,
      change: gatesOf({
        commit,
        ship,
        shipStep: null,
        status,
        deployStep:
          deploy && commit !== null && ship?.pushed_sha === commit ? stepOf(deploy.run_id) : null,
      }),
      usual_ms: status ? usualOf(status) : {},
      upload: { queued: 0, detail: null },
    }
  }
}

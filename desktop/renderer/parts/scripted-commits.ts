import { useQuery } from '@tanstack/react-query'
import { isEnded, type Run } from '#shared/run'
import { isDeploy } from '#shared/state/running'
import { useHq } from '../bridge/context.ts'
import { runQuery, shipsQuery } from '../bridge/queries.ts'
import { commitOfRun } from '../state/run.ts'
import { useLive } from '../state/live.tsx'

/** Whether a deploy in a list brought a commit whose review was scripted. A list of runs does not name their commits. */
export function useScriptedRun(run: Run): boolean {
  const { bridge } = useHq()
  const scripted = useScriptedCommits()
  const asked = scripted.size > 0 && isDeploy(run) && isEnded(run.status)
  const detail = useQuery({ ...runQuery(bridge, run.run_id), enabled: asked }).data?.run
  const commit = detail === undefined ? null : commitOfRun(detail)
  return commit !== null && scripted.has(commit)
}

/** Commits whose review was scripted (demo), as far as the ships of this laptop and of the host say. */
export function useScriptedCommits(): ReadonlySet<string> {
  const { bridge, info } = useHq()
  const { status } = useLive().overview
  const ships = useQuery({ ...shipsQuery(bridge, false), enabled: info.operator }).data?.ships ?? []
  const results = [...ships.map(({ result }) => result), status?.last_ship.result ?? null]
  return new Set(
    results.flatMap((result) =>
      result?.scripted_review === true && result.git_head !== null ? [result.git_head] : [],
    ),
  )
}

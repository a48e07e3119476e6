import { useQuery } from '@tanstack/react-query'
import { useHq } from '../bridge/context.ts'
import { shipsQuery } from '../bridge/queries.ts'
import { useLive } from '../state/live.tsx'

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

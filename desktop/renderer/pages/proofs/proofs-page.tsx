import { useQuery } from '@tanstack/react-query'
import { useState, type ReactElement } from 'react'
import { Button } from 'react-aria-components'
import { runIdPattern } from '#shared/ids'
import { useLive } from '../../app/live.tsx'
import { useHq } from '../../bridge/context.ts'
import { folderQuery, shipsQuery } from '../../bridge/queries.ts'
import { RunId } from '../../ui/copy.tsx'
import { FileLink } from '../../ui/file-sheet.tsx'
import { Sheet } from '../../ui/dialog.tsx'
import { Nothing, ProblemNote } from '../../ui/problem-note.tsx'
import { Proof, ScriptedDemo, Status } from '../../ui/status.tsx'
import { Age } from '../../ui/time.tsx'
import { bytes, count, startOfRun } from '../../words/format.ts'
import { ofOverall } from '../../words/status.ts'
import type { ShipSummary } from '#shared/bridge'

interface Bundle { readonly kind: 'ship' | 'deploy'; readonly runId: string; readonly onHost: boolean; readonly summary: ShipSummary | null }

/** The bundles that runs left behind. The host checks the newest ship and deploy; of the others nothing is claimed. */
export function ProofsPage(): ReactElement {
  const { bridge, info } = useHq()
  const { facts } = useLive()
  const onHost = { ship: useQuery(folderQuery(bridge, 'ship')), deploy: useQuery(folderQuery(bridge, 'deploy')) }
  const ships = useQuery({ ...shipsQuery(bridge, false), enabled: info.operator }).data?.ships.filter(({ active }) => !active) ?? []
  const ids = (kind: 'ship' | 'deploy'): string[] => onHost[kind].data?.entries.flatMap(({ name, type }) => (type === 'directory' && runIdPattern.test(name) ? [name] : [])) ?? []
  const uploaded = ids('ship')
  const bundles: Bundle[] = [
    ...[...new Set([...uploaded, ...ships.map(({ run_id }) => run_id)])].map((runId) => ({ kind: 'ship' as const, runId, onHost: uploaded.includes(runId), summary: ships.find(({ run_id }) => run_id === runId) ?? null })),
    ...ids('deploy').map((runId) => ({ kind: 'deploy' as const, runId, onHost: true, summary: null })),
  ].toSorted((a, b) => b.runId.localeCompare(a.runId))
  return (
    <div className="page">
      <div className="head"><div className="grow"><h1>{count(bundles.length, 'proof bundle')}</h1><p className="sub">Every ship and deploy leaves one, sealed: the digest of each file and of the bundle before it, signed. The host checks the newest of each kind; <code className="mono">hq proof verify</code> checks any, and the chain.</p></div></div>
      {onHost.deploy.error && !onHost.deploy.data && <ProblemNote error={onHost.deploy.error} />}
      {bundles.length === 0 && !onHost.deploy.error && <Nothing title="No bundle yet">The first ship leaves one.</Nothing>}
      {bundles.length > 0 && (
        <table className={`rows ${facts.stale ? 'faded-host' : ''}`} aria-label="Proof bundles">
          <thead><tr><th>Run</th><th>Of</th><th>Result</th><th>Kept</th><th>Proof</th><th>Age</th></tr></thead>
          <tbody>{bundles.map((bundle) => <Row key={`${bundle.kind} ${bundle.runId}`} bundle={bundle} />)}</tbody>
        </table>
      )}
    </div>
  )
}

function Row({ bundle: { kind, runId, onHost, summary } }: { bundle: Bundle }): ReactElement {
  const { overview: { status } } = useLive()
  const [open, setOpen] = useState(false)
  const result = kind === 'deploy' ? (status?.last_deploy.run_id === runId ? status.last_deploy.result : null) : summary?.result ?? (status?.last_ship.run_id === runId ? status.last_ship.result : null)
  const checked = status?.bundles[kind]?.run_id === runId ? status.bundles[kind] : null
  const run = kind === 'deploy' ? status?.recent_deploys.find(({ run_id }) => run_id === runId) : undefined
  const scripted = result !== null && 'scripted_review' in result && result.scripted_review
  return (
    <tr className={kind === 'deploy' ? 'of-host' : ''}>
      <td><RunId id={runId} /></td>
      <td className="strong">{kind === 'ship' ? 'Ship' : 'Deploy'}</td>
      <td>{result ? <Status shown={ofOverall(result.overall, result.error_class)} /> : run ? <Status shown={run.status === 'passed' ? { tone: 'pass', word: 'Pass' } : { tone: 'fail', word: run.error_class ?? run.status }} /> : <span className="quiet">in its files</span>} {scripted && <ScriptedDemo />}</td>
      <td>{onHost ? <Button className="link-button" onPress={() => setOpen(true)}>Files on the host</Button> : <span className="quiet">on this laptop, waits for the host</span>}{open && <Files folder={`${kind}/${runId}`} runId={runId} onClose={() => setOpen(false)} />}</td>
      <td>{checked ? <Proof state={checked.verification} /> : <span className="quiet">not checked here</span>}</td>
      <td className="quiet"><Age at={new Date(startOfRun(runId)).toISOString()} /></td>
    </tr>
  )
}

function Files({ folder, runId, onClose }: { folder: string; runId: string; onClose: () => void }): ReactElement {
  const { bridge } = useHq()
  const { data, error } = useQuery(folderQuery(bridge, folder))
  return (
    <Sheet title={folder} onClose={onClose}>
      {error && <ProblemNote error={error} />}
      <ul className="files files-sheet">{data?.entries.map(({ name, type, size }) => <li key={name}>{type === 'file' ? <FileLink file={{ source: 'host', runId, path: `${folder}/${name}` }}>{name}</FileLink> : <span className="soft">{name}/</span>}<span className="files-end">{size === null ? '' : bytes(size)}</span></li>)}</ul>
    </Sheet>
  )
}

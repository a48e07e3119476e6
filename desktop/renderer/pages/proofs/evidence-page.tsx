import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type ReactElement } from 'react'
import { Link } from 'wouter'
import type { Evidence, EvidencePlace } from '#shared/evidence'
import { useHq } from '../../bridge/context.ts'
import { evidenceQuery } from '../../bridge/queries.ts'
import { useLive } from '../../state/live.tsx'
import type { EvidenceAddress } from '../../text/evidence-address.ts'
import { grouped, shortCommit, shortRun } from '../../text/format.ts'
import { folderTitles, ofProof } from '../../text/proof.ts'
import { RunId } from '../../ui/copy.tsx'
import { Icon } from '../../ui/icons.tsx'
import { Nothing, ProblemNote } from '../../ui/problem-note.tsx'
import { PushButton } from '../../ui/push-button.tsx'
import { Chip } from '../../ui/status.tsx'
import { bindStyles } from '../../ui/styles.ts'
import { download } from './download.ts'
import { FilePane } from './file-pane.tsx'
import { FileTree } from './file-tree.tsx'
import { WhyBroken } from './why-broken.tsx'
import styles from './evidence.module.css'

const css = bindStyles(styles)

/** The files of one run: the tree at the left, one file in the rest, and why the proof is broken beside it. */
export function EvidencePage({
  address: { place, path },
}: {
  address: EvidenceAddress
}): ReactElement {
  const { bridge } = useHq()
  const client = useQueryClient()
  const { data, error, isFetching } = useQuery(evidenceQuery(bridge, place))
  const broken = data?.verification?.state === 'broken'
  const [why, setWhy] = useState<boolean | null>(null)
  const [tree, setTree] = useState(false)
  const whyShown =
    data?.verification && data.verification.problems.length > 0 && (why ?? (broken && isWide()))
  const current = path ?? firstFile(place, data)
  const exporting = useMutation({
    mutationFn: () => bridge.call('proofs.export', place),
    onSuccess: ({ text }) =>
      download(`${place.run_id}.intoto.jsonl`, new TextEncoder().encode(text)),
  })
  return (
    <div className={css('page-full evidence')}>
      <Head
        place={place}
        evidence={data ?? null}
        checking={isFetching}
        onCheck={() => {
          void client.invalidateQueries({ queryKey: ['evidence', place] })
        }}
        onWhy={() => setWhy(!whyShown)}
        onTree={() => setTree(!tree)}
        exporting={exporting.isPending}
        onExport={() => exporting.mutate()}
      />
      {exporting.error && <ProblemNote error={exporting.error} />}
      {error && !data && (
        <div className="page">
          <ProblemNote error={error} />
        </div>
      )}
      <div
        className={css(`evidence-body ${whyShown ? 'with-why' : ''} ${tree ? 'with-tree' : ''}`)}
      >
        {data && <FileTree place={place} files={data.files} current={current} />}
        {current !== null && (
          <FilePane
            key={current}
            place={place}
            path={current}
            file={data?.files.find((file) => file.path === current) ?? null}
          />
        )}
        {data?.files.length === 0 && <Nothing title="No file is there" />}
        {data?.verification && whyShown && (
          <WhyBroken
            place={place}
            evidence={data}
            verification={data.verification}
            onClose={() => setWhy(false)}
          />
        )}
      </div>
    </div>
  )
}

/** There is room for the reasons beside the file. */
const isWide = (): boolean => matchMedia('(min-width: 1180px)').matches

/** What is opened when the address names no file: what is wrong first, then the result. */
function firstFile({ folder }: EvidencePlace, evidence: Evidence | undefined): string | null {
  const files = (evidence?.files ?? []).filter(({ size }) => size !== null)
  const wrong = files.find(({ problem }) => problem !== null)
  const result = files.find(({ path }) => path === `${folder}_result.json`)
  return (
    (wrong ?? result ?? files.find(({ path }) => path.endsWith('result.json')) ?? files[0])?.path ??
    null
  )
}

function titleOf({ folder, run_id }: EvidencePlace, evidence: Evidence | null): string {
  const kind = folderTitles[folder]
  const counter = evidence?.verification?.counter ?? null
  if (counter === null) return `Files of ${kind} ${shortRun(run_id)}`
  const commit = evidence?.git_head ? ` of ${shortCommit(evidence.git_head)}` : ''
  return `Proof #${grouped(counter)}, ${kind}${commit}`
}

const notVerified = 'Only a verified proof is exported.'

interface HeadProps {
  readonly place: EvidencePlace
  readonly evidence: Evidence | null
  readonly checking: boolean
  readonly onCheck: () => void
  readonly onWhy: () => void
  readonly onTree: () => void
  readonly exporting: boolean
  readonly onExport: () => void
}

function Head(props: HeadProps): ReactElement {
  const { place, evidence, checking, onCheck, onWhy, onTree } = props
  const hostName = useLive().state.reach.name
  const verification = evidence?.verification ?? null
  return (
    <div className="full-head">
      <div className="crumb">
        <Link href="/proofs">Proofs</Link>
        <Icon name="right" small />
        <span>{place.side === 'host' ? hostName : 'this laptop'}</span>
        <Icon name="right" small />
        <RunId id={place.run_id} whole />
      </div>
      <div className="head">
        <h1>
          {titleOf(place, evidence)}
          {verification && <Chip shown={ofProof[verification.state].shown} />}
        </h1>
        <div className="head-actions">
          <RunLink place={place} />
          <span className={css('tree-button')}>
            <PushButton icon="file" onPress={onTree}>
              Files
            </PushButton>
          </span>
          {verification && verification.problems.length > 0 && (
            <PushButton icon="alert" onPress={onWhy}>
              Why
            </PushButton>
          )}
          {verification && (
            <PushButton
              icon="download"
              busy={props.exporting}
              blocked={verification.state === 'verified' ? null : notVerified}
              onPress={props.onExport}
            >
              Export
            </PushButton>
          )}
          <PushButton icon="retry" busy={checking} onPress={onCheck}>
            {checking ? 'Checking' : 'Check again'}
          </PushButton>
        </div>
      </div>
    </div>
  )
}

/** The way to the run itself. */
function RunLink({ place: { folder, run_id } }: { place: EvidencePlace }): ReactElement | null {
  const { info } = useHq()
  if (folder === 'ship' && !info.operator) return null
  return (
    <Link href={folder === 'ship' ? `/ship/${run_id}` : `/runs/${run_id}`} className="small nowrap">
      {folder === 'ship' ? 'Open the ship' : 'Open the run'}
    </Link>
  )
}

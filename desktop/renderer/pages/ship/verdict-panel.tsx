import { useQuery } from '@tanstack/react-query'
import type { ReactElement } from 'react'
import { Link } from 'wouter'
import type { ShipDetail } from '#shared/bridge'
import type { SignatureState } from '#shared/signature'
import type { ShipResult } from '#shared/result'
import { rareCounts } from '#shared/test-counts'
import type { Finding } from '#shared/verdict'
import { useLive } from '../../state/live.tsx'
import { useHq } from '../../bridge/context.ts'
import { shipsQuery } from '../../bridge/queries.ts'
import { FileLink } from '../../ui/file-link.tsx'
import { Mark } from '../../ui/icons.tsx'
import { Chip, ScriptedDemo, Status } from '../../ui/status.tsx'
import { Age } from '../../ui/time.tsx'
import { count, shortCommit, shortRun, startOfRun } from '../../text/format.ts'
import { ofProof } from '../../text/proof.ts'
import { ofSignature } from '../../text/signature.ts'
import { ofOverall, type Shown, type Tone } from '../../text/status.ts'
import { visibleText } from '../../text/visible-text.ts'
import { Attempts } from './attempts.tsx'
import { FindingList } from './finding-list.tsx'
import { bindStyles } from '../../ui/styles.ts'
import styles from './ship.module.css'
import folderStyles from './verdict-panel.module.css'

type Verdict = NonNullable<ShipDetail['verdict']>

const css = bindStyles(styles, folderStyles)

/** What the verdict is bound to, what the tests counted, the files that prove it, and the ships before. */
export function VerdictPanel({
  detail,
  onFinding,
}: {
  detail: ShipDetail
  onFinding: (finding: Finding) => void
}): ReactElement {
  const {
    verdict,
    findings,
    summary: { result, run_id },
  } = detail
  return (
    <aside className={css('verdict')} aria-label="Verdict and evidence">
      <FindingList findings={findings} onChoose={onFinding} />
      {result?.until_green && <Attempts until={result.until_green} runId={run_id} />}
      {verdict && <Approval detail={detail} verdict={verdict} />}
      {verdict?.packets && <Packets packets={verdict.packets} />}
      {result && result.tests.length > 0 && <Tests tests={result.tests} />}
      {result && (
        <section aria-label="Evidence">
          <h2>
            <span>Evidence</span>
            <ProofChip runId={run_id} />
          </h2>
          <ul className="files">
            {Object.entries(result.artifacts).map(([name, path]) => (
              <li key={name}>
                <FileLink file={{ source: 'ship', runId: run_id, path }}>{path}</FileLink>
              </li>
            ))}
          </ul>
        </section>
      )}
      <History current={run_id} />
    </aside>
  )
}

/** Whether the proof of this ship is whole, as the laptop found it last; nothing while that is not known here. */
function ProofChip({ runId }: { runId: string }): ReactElement | null {
  const { ship_proof } = useLive().overview
  return ship_proof?.run_id === runId ? <Chip shown={ofProof[ship_proof.state].shown} /> : null
}

function Approval({
  detail: {
    signature,
    files,
    summary: { result },
  },
  verdict,
}: {
  detail: ShipDetail
  verdict: Verdict
}): ReactElement {
  const { reviewer } = verdict
  const all = Math.max(files.length, verdict.files.length)
  return (
    <section aria-label="Verdict">
      <h2>
        <span>Approved, bound to this commit</span>
        {reviewer.scripted && <ScriptedDemo />}
      </h2>
      <dl className={css('bindings')}>
        <Binding name="base" value={verdict.base_sha} />
        <Binding name="head" value={verdict.head_sha} />
        <Binding name="tree" value={verdict.tree_sha} />
        <Binding name="diff" value={verdict.diff_sha256} prefix="sha256 " />
        <Binding name="nonce" value={verdict.nonce} />
        {signature && <Signature state={signature} keyId={verdict.signature?.key_id ?? null} />}
        <Binding name="files" text={`${verdict.files.length} of ${all} read`} />
        <Binding name="model" text={reviewer.model} />
        <Binding name="provider" text={`${reviewer.provider_id}, accepted`} />
        <Binding name="cli" text={versionOf(reviewer)} />
      </dl>
      {result?.review_reused && <Reused {...result.review_reused} />}
      <p className={css('soft verdict-summary')}>{visibleText(verdict.summary)}</p>
      <Special verdict={verdict} />
    </section>
  )
}

const Reused = ({ run_id, age_minutes }: { run_id: string; age_minutes: number }): ReactElement => (
  <p className={css('soft verdict-summary')}>
    Reused from run <Link href={`/ship/${run_id}`}>{shortRun(run_id)}</Link>,{' '}
    {count(age_minutes, 'minute')} old: nothing it is bound to has changed.
  </p>
)

/** What a reader of the verdict should know: changed gate settings, flags, and files handled by rule. */
function Special({
  verdict: { gate_settings_changed, flags, files },
}: {
  verdict: Verdict
}): ReactElement {
  const handled = files.flatMap(({ path, handling }) =>
    handling === undefined ? [] : [`${path}: ${handling}`],
  )
  return (
    <>
      {gate_settings_changed.length > 0 && (
        <p className={css('soft verdict-summary')}>
          This change alters gate settings:{' '}
          <span className="mono">{gate_settings_changed.join(', ')}</span>. It was judged by the
          earlier values.
        </p>
      )}
      {flags && flags.length > 0 && <Remarks title="Reviewed with special care" lines={flags} />}
      {handled.length > 0 && <Remarks title="Handled by rule" lines={handled} />}
    </>
  )
}

function Packets({ packets }: { packets: NonNullable<Verdict['packets']> }): ReactElement {
  return (
    <section aria-label="Packets">
      <h2>
        <span>Packets, each approved</span>
        <span>{packets.length}</span>
      </h2>
      <ol>
        {packets.map(({ index, files, diff_sha256 }) => (
          <li key={index} className="line" title={visibleText(files.join('\n'))}>
            <Mark tone="pass" small />
            <span className="ellipsis">
              {index}. {visibleText(files[0] ?? 'no file')}
              {files.length > 1 && ` and ${files.length - 1} more`}
            </span>
            <code className="mono line-end">{diff_sha256.slice(0, 12)}</code>
          </li>
        ))}
      </ol>
    </section>
  )
}

type Suite = ShipResult['tests'][number]

function Tests({ tests }: { tests: readonly Suite[] }): ReactElement {
  const all = tests.reduce((sum, { total }) => sum + total, 0)
  return (
    <section aria-label="Tests">
      <h2>
        <span>Tests</span>
        <span>{count(all, 'test')}</span>
      </h2>
      {tests.map((suite) => (
        <div key={suite.name} className={css('line line-wrap')}>
          <Mark tone={toneOf(suite)} small />
          <span>{suite.name}</span>
          <span className="line-end">
            {suite.passed} of {suite.total}
            {suite.failed > 0 ? `, ${suite.failed} failed` : ''},{' '}
            {[
              suite.skipped === 0 ? 'none skipped' : `${suite.skipped} skipped`,
              ...rareCounts(suite),
            ].join(', ')}
          </span>
        </div>
      ))}
    </section>
  )
}

function toneOf({ failed, passed, expected_failures = 0, total }: Suite): Tone {
  if (failed > 0) return 'fail'
  return passed + expected_failures === total ? 'pass' : 'warn'
}

/** The version line of a CLI begins with its name, which is not repeated. */
const versionOf = ({ cli, cli_version }: { cli: string; cli_version: string }): string =>
  cli_version.startsWith(cli) ? cli_version : `${cli} ${cli_version}`

/** Whose signature the verdict has, as far as this laptop knows. */
function Signature({
  state,
  keyId,
}: {
  state: SignatureState
  keyId: string | null
}): ReactElement {
  const { tone, text } = ofSignature(state, keyId)
  return (
    <>
      <Mark tone={tone} />
      <dt>signed</dt>
      <dd className="mono" title={keyId === null ? text : `${text}: ${keyId}`}>
        {text}
      </dd>
    </>
  )
}

/** Text of the repository, a line each. */
function Remarks({ title, lines }: { title: string; lines: readonly string[] }): ReactElement {
  return (
    <div className={css('soft verdict-summary')}>
      <p>{title}:</p>
      <ul aria-label={title}>
        {lines.map((line) => (
          <li key={line} className="mono">
            {visibleText(line)}
          </li>
        ))}
      </ul>
    </div>
  )
}

function Binding({
  name,
  value,
  text,
  prefix = '',
}: {
  name: string
  value?: string
  text?: string
  prefix?: string
}): ReactElement {
  return (
    <>
      <Mark tone="pass" />
      <dt>{name}</dt>
      <dd className="mono" title={value ?? text}>
        {prefix}
        {value === undefined ? visibleText(text ?? '') : value.slice(0, 12)}
      </dd>
    </>
  )
}

export function History({ current }: { current: string | null }): ReactElement | null {
  const { bridge } = useHq()
  const {
    overview: { ship: newest },
  } = useLive()
  const listed = useQuery(shipsQuery(bridge, newest?.active === true)).data?.ships ?? []
  // The overview knows the newest one first: the list is fetched less often.
  const ships = listed.map((each) => (each.run_id === newest?.run_id ? newest : each))
  if (ships.length === 0) return null
  return (
    <section aria-label="Ship history">
      <h2>
        <span>Ships</span>
        <span>{ships.length}</span>
      </h2>
      <ol className={css('ship-history')}>
        {ships.slice(0, 12).map(({ run_id, active, result }) => (
          <li key={run_id}>
            <Link
              href={`/ship/${run_id}`}
              {...(run_id === current ? { 'aria-current': 'true' as const } : {})}
            >
              <Status shown={shownOf(active, result)} />
              <code className="mono">{result?.git_head ? shortCommit(result.git_head) : ''}</code>
              {result?.error_class && (
                <code className="mono ellipsis quiet" title={result.error_class}>
                  {result.error_class}
                </code>
              )}
              <span className="line-end">
                <Age at={new Date(startOfRun(run_id)).toISOString()} />
              </span>
            </Link>
          </li>
        ))}
      </ol>
    </section>
  )
}

function shownOf(active: boolean, result: ShipResult | null): Shown {
  if (active) return { tone: 'running', word: 'Running' }
  return result
    ? ofOverall(result.overall, result.error_class)
    : { tone: 'warn', word: 'No result' }
}

import type { ReactElement, ReactNode } from 'react'
import { Button } from 'react-aria-components'
import { Link } from 'wouter'
import {
  evidenceHref,
  type Evidence,
  type EvidenceFile,
  type EvidencePlace,
} from '#shared/evidence'
import type { BundleVerification, ProofProblem } from '#shared/proof'
import { useLive } from '../../state/live.tsx'
import { count, grouped, timeOfDay } from '../../text/format.ts'
import { problemText } from '../../text/proof.ts'
import type { Tone } from '../../text/status.ts'
import { visibleText } from '../../text/visible-text.ts'
import { Icon, Mark } from '../../ui/icons.tsx'
import { Age } from '../../ui/time.tsx'
import { bindStyles } from '../../ui/styles.ts'
import { WhatToDo } from './what-to-do.tsx'
import styles from './evidence.module.css'

const css = bindStyles(styles)

interface Props {
  readonly place: EvidencePlace
  readonly evidence: Evidence
  readonly verification: BundleVerification
  readonly onClose: () => void
}

/** Why a proof is not whole: what differs, both digests, since when, what still holds, and what to do. */
export function WhyBroken({ place, evidence, verification, onClose }: Props): ReactElement {
  const { state, problems } = verification
  const title = state === 'broken' ? 'Why this proof is broken' : 'Why this proof is not verified'
  return (
    <aside className={css('why-sheet')} aria-label={title}>
      <header>
        <h2>{title}</h2>
        <span className="grow" />
        <Button className="icon-button" aria-label="Close" onPress={onClose}>
          <Icon name="close" small />
        </Button>
      </header>
      {problems.map((problem, at) => (
        <Wrong key={at} place={place} evidence={evidence} problem={problem} />
      ))}
      <section>
        <ul className={css('why-facts')} aria-label="Since when, and what still holds">
          <Seen evidence={evidence} broken={state === 'broken'} />
          <Holds evidence={evidence} verification={verification} />
        </ul>
      </section>
      <WhatToDo place={place} evidence={evidence} state={state} />
    </aside>
  )
}

function Wrong({
  place,
  evidence,
  problem: { code, file, detail },
}: Pick<Props, 'place' | 'evidence'> & { problem: ProofProblem }): ReactElement {
  const hostName = useLive().state.reach.name
  const found = evidence.files.find(({ path }) => path === file) ?? null
  return (
    <section>
      <p>
        <b className="strong">{problemText[code]}.</b>{' '}
        <code className="mono tone-text fail">{code}</code>
      </p>
      <p className={css('soft why-detail')}>
        {file !== null && (
          <>
            <Link href={evidenceHref(place, file)} className="mono">
              {visibleText(file)}
            </Link>{' '}
            on {place.side === 'host' ? hostName : 'this laptop'}:{' '}
          </>
        )}
        {visibleText(detail)}.
      </p>
      {found && <Digests file={found} />}
    </section>
  )
}

function Digests({ file: { size, sealed, found_sha256 } }: { file: EvidenceFile }): ReactElement {
  return (
    <dl className={css('digests')}>
      <dt>Sealed</dt>
      <dd>
        {sealed === null ? (
          'not among the sealed files'
        ) : (
          <>
            {grouped(sealed.size)} B, sha256 <Digest text={sealed.sha256} />
          </>
        )}
      </dd>
      <dt>Found</dt>
      <dd>
        {size === null ? (
          'nothing'
        ) : (
          <>
            {grouped(size)} B
            {found_sha256 !== null && (
              <>
                , sha256 <Digest text={found_sha256} wrong={found_sha256 !== sealed?.sha256} />
              </>
            )}
          </>
        )}
      </dd>
    </dl>
  )
}

const Digest = ({ text, wrong = false }: { text: string; wrong?: boolean }): ReactElement => (
  <code className={css(`mono ${wrong ? 'digest-wrong' : ''}`)}>
    {text.match(/.{1,8}/g)?.join(' ')}
  </code>
)

function Fact({
  tone,
  children,
  end,
}: {
  tone: Tone
  children: ReactNode
  end: ReactNode
}): ReactElement {
  return (
    <li>
      <Mark tone={tone} />
      <span>{children}</span>
      <span className={css('why-end')}>{end}</span>
    </li>
  )
}

function Seen({
  evidence: { whole_at, broken_at },
  broken,
}: {
  evidence: Evidence
  broken: boolean
}): ReactElement {
  const at = (moment: string): ReactElement => (
    <>
      {timeOfDay(moment)}, <Age at={moment} />
    </>
  )
  return (
    <>
      {whole_at === null ? (
        <Fact tone="wait" end="never">
          Last seen whole by this laptop
        </Fact>
      ) : (
        <Fact tone="pass" end={at(whole_at)}>
          Last seen whole by this laptop
        </Fact>
      )}
      {broken && broken_at !== null && (
        <Fact tone="fail" end={at(broken_at)}>
          First seen broken
        </Fact>
      )}
    </>
  )
}

/** Codes that are about the seal itself, not about one file. */
const ofTheSeal = /^(?:manifest|signature|unknown_key|run_mismatch|kind_mismatch|not_sealed|no_key)/

function Holds({
  evidence: { files },
  verification: { problems, counter },
}: Pick<Props, 'evidence' | 'verification'>): ReactElement {
  const sealed = files.filter((file) => file.sealed !== null)
  const whole = sealed.filter(({ problem }) => problem === null).length
  const sound = !problems.some(({ code }) => ofTheSeal.test(code))
  return (
    <>
      {sealed.length > 0 && (
        <Fact tone={whole === sealed.length ? 'pass' : 'warn'} end={whole === 1 ? 'holds' : 'hold'}>
          {grouped(whole)} of {count(sealed.length, 'file')}
        </Fact>
      )}
      <Fact tone={sound ? 'pass' : 'fail'} end={sound ? 'hold' : 'do not hold'}>
        Manifest and its signature
      </Fact>
      {counter !== null && (
        <Fact tone="wait" end={`number ${grouped(counter)}`}>
          Its position in the chain
        </Fact>
      )}
    </>
  )
}

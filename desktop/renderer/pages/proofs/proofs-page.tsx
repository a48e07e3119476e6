import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { ReactElement } from 'react'
import type { Output } from '#shared/bridge'
import type { ProofState } from '#shared/proof'
import { plural } from '#shared/plural'
import { useLive } from '../../state/live.tsx'
import { useHq } from '../../bridge/context.ts'
import { proofsQuery, shipsQuery } from '../../bridge/queries.ts'
import { Nothing, ProblemNote } from '../../ui/problem-note.tsx'
import { PushButton } from '../../ui/push-button.tsx'
import { Icon } from '../../ui/icons.tsx'
import { evidenceAddress } from '../../text/evidence-address.ts'
import { count, timeOfDay } from '../../text/format.ts'
import { NoSuchPage } from '../../ui/no-such-page.tsx'
import type { PageProps } from '../page.ts'
import { AlarmCard } from './alarm-card.tsx'
import { BundleRow } from './bundle-row.tsx'
import { EvidencePage } from './evidence-page.tsx'
import { WitnessList } from './witness-list.tsx'
import { bindStyles } from '../../ui/styles.ts'
import styles from './proofs.module.css'

const css = bindStyles(styles)

type Page = Output<'proofs.list'>

/** The worst finding of the sides that have the bundle. A running bundle has none yet. */
function stateOf({ laptop, host, running }: Page['bundles'][number]): ProofState | null {
  if (running) return null
  const states = new Set([laptop?.state, host?.state])
  return worstFirst.find((state) => states.has(state)) ?? null
}

const worstFirst: readonly ProofState[] = ['broken', 'unverified', 'verified']

function headline(bundles: Page['bundles'], alarms: number): string {
  const number = (state: ProofState): number =>
    bundles.filter((row) => stateOf(row) === state).length
  if (alarms > 0)
    return alarms === 1
      ? 'A proof differs from what HQ has witnessed'
      : 'Proofs differ from what HQ has witnessed'
  if (number('broken') > 0) return plural(number('broken'), 'proof is broken', 'proofs are broken')
  if (bundles.length === 0) return 'No proof yet'
  if (number('unverified') > 0)
    return `${count(number('unverified'), 'proof')} of ${bundles.length} could not be verified`
  return number('verified') === 0 ? 'Proofs as they were last seen' : 'The proofs hold'
}

/** Every bundle that a run left, as laptop and host find it; with an address below it, the files of one run. */
export function ProofsPage({ id }: PageProps): ReactElement {
  if (id === null) return <ProofList />
  const address = evidenceAddress(id)
  return address === null ? <NoSuchPage /> : <EvidencePage address={address} />
}

function ProofList(): ReactElement {
  const { bridge } = useHq()
  const { state } = useLive()
  const { data, error, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    proofsQuery(bridge),
  )
  const recheck = useRecheck()
  const listed = data?.pages.flatMap((page) => page.bundles) ?? []
  // A broken proof stands on top, whatever its age.
  const bundles = listed.toSorted(
    (a, b) => Number(stateOf(b) === 'broken') - Number(stateOf(a) === 'broken'),
  )
  const [first] = data?.pages ?? []
  const witnesses = first?.witnesses ?? []
  const alarmed = witnesses.filter(({ open }) => open.length > 0)
  const unreachable = (first?.host?.detail ?? null) !== null
  const asOf = first?.host?.as_of ?? null
  return (
    <div className="page">
      <Head
        title={data === undefined ? 'Proofs' : headline(bundles, alarmed.length)}
        recheck={recheck}
      />
      {alarmed.map((witness) => (
        <AlarmCard key={witness.id} witness={witness} />
      ))}
      {(error ?? recheck.error) && <ProblemNote error={error ?? recheck.error} />}
      {witnesses.length > 0 && <WitnessList witnesses={witnesses} />}
      {unreachable && (
        <p className={css('as-of proof-away')}>
          <Icon name="clock" small />
          {state.reach.name} cannot be reached now; what it found is{' '}
          {asOf ? `as of ${timeOfDay(asOf)}` : 'not known'}.
        </p>
      )}
      {data && bundles.length === 0 && (
        <Nothing title="No bundle yet">The first ship, deploy or doctor leaves one.</Nothing>
      )}
      {bundles.length > 0 && <BundleTable bundles={bundles} unreachable={unreachable} />}
      {hasNextPage && (
        <div className="more">
          <PushButton
            busy={isFetchingNextPage}
            onPress={() => {
              void fetchNextPage()
            }}
          >
            Show older proofs
          </PushButton>
        </div>
      )}
    </div>
  )
}

interface Recheck {
  readonly isPending: boolean
  readonly error: Error | null
  readonly start: () => void
}

/** Checks every chain from its first entry on. */
function useRecheck(): Recheck {
  const { bridge } = useHq()
  const client = useQueryClient()
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => bridge.call('proofs.check', {}),
    onSuccess: () => client.invalidateQueries({ queryKey: ['proofs'] }),
  })
  return { isPending, error, start: () => mutate() }
}

function Head({ title, recheck }: { title: string; recheck: Recheck }): ReactElement {
  const { info } = useHq()
  return (
    <div className="head">
      <div className="grow">
        <h1>{title}</h1>
        <p className="sub">
          Every run leaves a sealed bundle: the digest of each file and of the bundle before it,
          signed.{' '}
          {info.operator
            ? 'This laptop remembers each chain, so that no bundle can be removed or replaced unnoticed.'
            : 'HQ on the laptop remembers the chain; a host cannot be its own witness.'}
        </p>
      </div>
      {info.operator && (
        <div className="head-actions">
          <PushButton icon="retry" busy={recheck.isPending} onPress={recheck.start}>
            {recheck.isPending ? 'Checking' : 'Check all again'}
          </PushButton>
        </div>
      )}
    </div>
  )
}

function BundleTable({
  bundles,
  unreachable,
}: {
  bundles: Page['bundles']
  unreachable: boolean
}): ReactElement {
  const { bridge, info } = useHq()
  const ships = useQuery({ ...shipsQuery(bridge, false), enabled: info.operator }).data?.ships ?? []
  const scripted = new Set(
    ships.flatMap(({ run_id, result }) => (result?.scripted_review ? [run_id] : [])),
  )
  return (
    <table className={css('rows proofs')} aria-label="Proof bundles">
      <thead>
        <tr>
          <th>Of</th>
          <th>Run</th>
          {info.operator && <th>Laptop</th>}
          <th>Host</th>
          <th>Found</th>
          {info.operator && <th className="hide-narrow">Witnessed</th>}
          <th>Age</th>
        </tr>
      </thead>
      <tbody>
        {bundles.map((row) => (
          <BundleRow
            key={`${row.kind} ${row.run_id}`}
            row={row}
            scripted={row.kind === 'ship' && scripted.has(row.run_id)}
            unreachable={unreachable}
          />
        ))}
      </tbody>
    </table>
  )
}

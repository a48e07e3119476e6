/** The headline of the overview: where the newest change stands, and what follows. */
import { actions } from '#shared/actions'
import type { Overview } from '#shared/bridge'
import type { Gate } from '#shared/gates'
import { remediations } from '#shared/errors/remediations'
import { errorClasses, errorRule, type ErrorClass } from '#shared/errors'
import { deployTitle, isDeploy, type Facts } from '../../state/facts.ts'
import { count, shortCommit, span, timeOfDay } from '../../text/format.ts'
import { firstStopped } from './gates.ts'

export interface Headline {
  readonly title: string
  readonly sub: string
  readonly done?: true
  readonly errorClass?: string
}

interface Known {
  readonly overview: Overview
  readonly facts: Facts
  /** Milliseconds since the epoch. */
  readonly now: number
  /** The commit of the newest change, short. */
  readonly commit: string | null
  /** *abc1234 serves*, when something does. */
  readonly serving: string | null
  /** First line of the commit message, when the change is the head of the repository. */
  readonly subject: string | null
}

/** The first of these that applies is the headline. */
const cases: readonly ((known: Known) => Headline | null)[] = [
  unreachable,
  shipping,
  deploying,
  done,
  stopped,
  pushed,
  toShip,
  notEnrolled,
  toCommit,
]

/**
 * One sentence on where the newest change stands, and one on what follows.
 * @param now milliseconds since the epoch
 */
export function headlineOf(overview: Overview, facts: Facts, now: number): Headline {
  const { repository, status, change } = overview
  const known: Known = {
    overview,
    facts,
    now,
    commit: change.commit === null ? null : shortCommit(change.commit),
    serving: status?.host.serving ? `${shortCommit(status.host.serving)} serves` : null,
    subject: repository?.head === change.commit ? (repository?.subject ?? null) : null,
  }
  for (const each of cases) {
    const headline = each(known)
    if (headline !== null) return headline
  }
  return {
    title: 'Nothing to ship',
    sub: known.serving
      ? `${known.serving}; every commit here is on origin/main.`
      : 'Every commit here is on origin/main.',
  }
}

const joined = (...parts: (string | null | undefined | false)[]): string =>
  parts.filter(Boolean).join(' · ')

function unreachable({ overview: { connection }, facts, now }: Known): Headline | null {
  if (!facts.stale || connection.as_of === null) return null
  const refused = connection.state === 'refused'
  const why = refused
    ? (connection.detail ?? '')
    : `No answer for ${span(now - Date.parse(connection.as_of))}.`
  return {
    title: `${facts.hostName} is ${refused ? 'refusing HQ' : 'unreachable'}`,
    sub: `${why} What you see of the host is as of ${timeOfDay(connection.as_of)}.`,
  }
}

function shipping({ facts, commit, subject }: Known): Headline | null {
  if (!facts.ship) return null
  return {
    title: commit ? `Shipping ${commit}` : 'Shipping',
    sub: joined(subject, 'nothing is pushed until the review approves it'),
  }
}

function deploying({ overview, facts, serving, subject }: Known): Headline | null {
  if (!facts.deploy) return null
  const { repository, status, change } = overview
  // A deploy is about what origin/main holds, which may differ from the newest change of the laptop.
  const target = repository?.remote ?? status?.last_ship.result?.pushed_sha ?? change.commit
  const bringsChange = facts.deploy.action === 'deploy_and_verify' && target === change.commit
  return {
    title: deployTitle(facts.deploy, target),
    sub: joined(
      bringsChange && subject,
      serving && (isDeploy(facts.deploy) ? `${serving} until this is up` : serving),
    ),
  }
}

function done({ overview: { change }, commit, subject }: Known): Headline | null {
  if (!change.done || !commit) return null
  return {
    title: `${commit} is DONE, with proof`,
    sub: joined(subject, 'all six gates hold for this commit'),
    done: true,
  }
}

const isClass = (text: string | null): text is ErrorClass =>
  errorClasses.some((each) => each === text)
const isLaptopGate = ({ name }: Gate): boolean =>
  name === 'tests' || name === 'review' || name === 'pushed'

function stopped(known: Known): Headline | null {
  const gate = firstStopped(known.overview.change.gates)
  if (!gate) return null
  const errorClass = isClass(gate.detail) ? gate.detail : null
  const kept = gate.detail === 'push_unconfirmed' ? '' : stillStands(gate, known)
  const next = errorClass ? remediations[errorRule(errorClass).next_auto_fix].title : ''
  return {
    title: stoppedTitle(gate, errorClass, known.commit),
    sub: `${kept} ${next}`.trim(),
    ...(errorClass && errorClass !== 'cancelled' ? { errorClass } : {}),
  }
}

function stoppedTitle(gate: Gate, errorClass: ErrorClass | null, commit: string | null): string {
  if (errorClass === 'cancelled')
    return `The ${isLaptopGate(gate) ? 'ship' : 'deploy'} was cancelled`
  return errorClass ? errorRule(errorClass).sentence : `${commit ?? 'The change'} did not pass`
}

/** What the stop left as it was. */
function stillStands(gate: Gate, { overview: { ship, repository }, serving }: Known): string {
  if (!isLaptopGate(gate)) return serving ? `${serving}.` : ''
  const remote = ship?.result?.remote_sha ?? repository?.remote ?? null
  return `Nothing was pushed${remote ? `: origin/main is still ${shortCommit(remote)}` : ''}.`
}

function pushed({ overview: { change }, facts, commit, serving, subject }: Known): Headline | null {
  const gate = (name: string): Gate | undefined => change.gates.find((each) => each.name === name)
  if (gate('pushed')?.state !== 'pass' || !commit) return null
  if (gate('deployed')?.state === 'pass')
    return {
      title: `${commit} is deployed, its proof is not complete`,
      sub: gate('proof')?.detail ?? 'The bundle of its ship is not on the host yet.',
    }
  if (facts.pin?.holds)
    return {
      title: `${commit} was rolled back`,
      sub: joined(
        subject,
        serving && `${serving} instead, until a fix is shipped or this is deployed again`,
      ),
    }
  return {
    title: `${commit} is pushed, not deployed yet`,
    sub: joined(
      subject,
      serving && `${serving} until ${actions.deploy_and_verify.button} is pressed`,
    ),
  }
}

function toShip({ overview: { repository } }: Known): Headline | null {
  if (!repository || repository.ahead === 0) return null
  const { ahead, ship_blocked, subject, remote } = repository
  return {
    title: `${count(ahead, 'commit')} to ship`,
    sub: ship_blocked ?? joined(subject, remote && `origin/main is ${shortCommit(remote)}`),
  }
}

function notEnrolled({ overview: { connection } }: Known): Headline | null {
  if (connection.state !== 'not_enrolled') return null
  return { title: 'No host is enrolled', sub: 'Settings takes its address and admin token.' }
}

function toCommit({ overview: { repository } }: Known): Headline | null {
  if (!repository?.ship_blocked || repository.dirty_files === 0) return null
  return {
    title: `${count(repository.dirty_files, 'file')} to commit`,
    sub: repository.ship_blocked,
  }
}

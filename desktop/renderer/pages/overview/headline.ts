import type { Overview } from '#shared/bridge'
import { remediations } from '#shared/errors/remediations'
import { errorClasses, errorRule, type ErrorClass } from '#shared/errors'
import { deployWords, isDeploy, type Facts } from '../../state/facts.ts'
import { count, shortCommit, span, timeOfDay } from '../../text/format.ts'
import { firstStopped } from './gates.ts'

export interface Headline {
  readonly title: string
  readonly sub: string
  readonly done?: true
  readonly errorClass?: string
}

const isClass = (text: string | null): text is ErrorClass =>
  errorClasses.some((each) => each === text)

/** The answer, first: one sentence on where the newest change stands, and one on what follows. @param now milliseconds since the epoch */
export function headlineOf(
  { connection, repository, status, change, ship }: Overview,
  facts: Facts,
  now: number,
): Headline {
  const commit = change.commit === null ? null : shortCommit(change.commit)
  const serving = status?.host.serving ? `${shortCommit(status.host.serving)} serves` : null
  const subject = repository?.head === change.commit ? (repository?.subject ?? null) : null

  if (facts.stale && connection.as_of !== null) {
    return {
      title: `${facts.hostName} is ${connection.state === 'refused' ? 'refusing HQ' : 'unreachable'}`,
      sub: `${connection.state === 'refused' ? (connection.detail ?? '') : `No answer for ${span(now - Date.parse(connection.as_of))}.`} What you see of the host is as of ${timeOfDay(connection.as_of)}.`,
    }
  }
  if (facts.ship)
    return {
      title: commit ? `Shipping ${commit}` : 'Shipping',
      sub: [subject, 'nothing is pushed until the review approves it'].filter(Boolean).join(' · '),
    }
  // A deploy is about what origin/main holds, which need not be the newest change of the laptop.
  const target = repository?.remote ?? status?.last_ship.result?.pushed_sha ?? change.commit
  if (facts.deploy)
    return {
      title: deployWords(facts.deploy, target),
      sub: [
        facts.deploy.action === 'deploy_and_verify' && target === change.commit ? subject : null,
        serving && (isDeploy(facts.deploy) ? `${serving} until this is up` : serving),
      ]
        .filter(Boolean)
        .join(' · '),
    }
  if (change.done && commit)
    return {
      title: `${commit} is DONE, with proof`,
      sub: [subject, 'all six gates hold for this commit'].filter(Boolean).join(' · '),
      done: true,
    }

  const stopped = firstStopped(change.gates)
  if (stopped) {
    const errorClass = isClass(stopped.detail) ? stopped.detail : null
    const onLaptop =
      stopped.name === 'tests' || stopped.name === 'review' || stopped.name === 'pushed'
    const remote = ship?.result?.remote_sha ?? repository?.remote ?? null
    const kept = onLaptop
      ? `Nothing was pushed${remote ? `: origin/main is still ${shortCommit(remote)}` : ''}.`
      : serving
        ? `${serving}.`
        : ''
    return {
      title:
        errorClass === 'cancelled'
          ? `The ${onLaptop ? 'ship' : 'deploy'} was cancelled`
          : errorClass
            ? errorRule(errorClass).sentence
            : `${commit ?? 'The change'} did not pass`,
      sub: `${stopped.detail === 'push_unconfirmed' ? '' : kept} ${errorClass ? remediations[errorRule(errorClass).next_auto_fix].title : ''}`.trim(),
      ...(errorClass && errorClass !== 'cancelled' ? { errorClass } : {}),
    }
  }
  const pushed = change.gates.find(({ name }) => name === 'pushed')?.state === 'pass'
  if (pushed && commit) {
    const toDo = change.gates.find(({ name }) => name === 'deployed')?.state !== 'pass'
    if (toDo && facts.pin?.holds)
      return {
        title: `${commit} was rolled back`,
        sub: [
          subject,
          serving && `${serving} instead, until a fix is shipped or this is deployed again`,
        ]
          .filter(Boolean)
          .join(' · '),
      }
    return toDo
      ? {
          title: `${commit} is pushed, not deployed yet`,
          sub: [subject, serving && `${serving} until Deploy+Verify is pressed`]
            .filter(Boolean)
            .join(' · '),
        }
      : {
          title: `${commit} is deployed, its proof is not complete`,
          sub:
            change.gates.find(({ name }) => name === 'proof')?.detail ??
            'The bundle of its ship is not on the host yet.',
        }
  }
  if (repository && repository.ahead > 0)
    return {
      title: `${count(repository.ahead, 'commit')} to ship`,
      sub:
        repository.ship_blocked ??
        [
          repository.subject,
          repository.remote && `origin/main is ${shortCommit(repository.remote)}`,
        ]
          .filter(Boolean)
          .join(' · '),
    }
  if (connection.state === 'not_enrolled')
    return { title: 'No host is enrolled', sub: 'Settings takes its address and admin token.' }
  if (repository?.ship_blocked && repository.dirty_files > 0)
    return {
      title: `${count(repository.dirty_files, 'file')} to commit`,
      sub: repository.ship_blocked,
    }
  return {
    title: 'Nothing to ship',
    sub: serving
      ? `${serving}; every commit here is on origin/main.`
      : 'Every commit here is on origin/main.',
  }
}

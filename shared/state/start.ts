/** Situations before a change is on its way: to ship, to commit, to set up. */
import { count } from '../format.ts'
import { shortCommit } from '../ids.ts'
import {
  connect,
  deploy,
  endMaintenance,
  go,
  nothing,
  ship,
  shipButton,
  type NextAction,
} from './next.ts'
import { headline, joined, type Case, type Situation } from './situation.ts'
import type { Standing } from './standing.ts'

const settings = (label: string): NextAction['button'] => go(label, '/settings')

export const noRepository: Case = ({ overview: { repository, place } }) => {
  if (repository !== null || place === 'console') return null
  return {
    headline: headline('you', 'No repository is chosen', 'Settings takes the folder to ship from.'),
    next: {
      id: 'choose_repository',
      title: 'Choose a repository.',
      text: 'HQ ships the main branch of a git repository on this laptop.',
      button: settings('Open Settings'),
    },
  }
}

export const toShip: Case = (standing) => {
  const { repository } = standing.overview
  if (repository === null || repository.ahead === 0) return null
  const { ahead, ship_blocked, subject, remote } = repository
  return {
    headline: headline(
      'you',
      `${count(ahead, 'commit')} to ship`,
      ship_blocked ?? joined(subject, remote && `origin/main is ${shortCommit(remote)}`),
    ),
    next:
      ship_blocked === null
        ? ship(standing, 'It is tested, reviewed and pushed as one frozen commit.')
        : unblock(standing, ship_blocked),
  }
}

/** Why a ship cannot start yet, as the next thing to do. */
function unblock(standing: Standing, text: string): NextAction {
  const { overview } = standing
  const dirty = overview.repository?.dirty_files ?? 0
  const behind = overview.repository?.behind ?? 0
  const first = { text, button: shipButton(standing) }
  if (dirty > 0) return { ...first, id: 'commit', title: `Commit ${count(dirty, 'file')}.` }
  if (behind > 0) return { ...first, id: 'integrate', title: 'Bring origin/main into the branch.' }
  return { ...first, id: 'fix', title: 'Remove what keeps Ship from starting.' }
}

export const notEnrolled: Case = ({ overview: { connection } }) => {
  if (connection.state !== 'not_enrolled') return null
  if (connection.name !== null) return withoutToken(connection.name, connection.detail)
  return {
    headline: headline('you', 'No host is enrolled', 'Settings takes its address and admin token.'),
    next: {
      id: 'enrol_host',
      title: 'Enrol the host.',
      text: 'HQ needs its address and its admin token.',
      button: settings('Open Settings'),
    },
  }
}

/** @param detail why the token of the host cannot be used */
const withoutToken = (name: string, detail: string | null): Situation => ({
  headline: headline('you', `No admin token for ${name}`, 'HQ sends no request to it without one.'),
  next: {
    id: 'enrol_host',
    title: 'HQ needs the admin token.',
    text: detail ?? 'Settings takes it.',
    button: settings('Open Settings'),
  },
})

export const toCommit: Case = (standing) => {
  const { repository } = standing.overview
  if (!repository?.ship_blocked || repository.dirty_files === 0) return null
  return {
    headline: headline(
      'you',
      `${count(repository.dirty_files, 'file')} to commit`,
      repository.ship_blocked,
    ),
    next: unblock(standing, repository.ship_blocked),
  }
}

/** Nothing of the above. */
export function atRest(standing: Standing): Situation {
  const { serves, serving, target, maintenance } = standing
  const due = serving.commit !== null && target !== null && target !== serving.commit
  const rest = maintenance.on
    ? endMaintenance(standing)
    : (connect(standing) ?? nothing('The plan of the repository says what comes next.'))
  return {
    headline: headline(
      serving.standing === 'green' ? 'pass' : 'wait',
      'Nothing to ship',
      serves === null
        ? 'Every commit here is on origin/main.'
        : `${serves}; every commit here is on origin/main.`,
    ),
    next: due
      ? deploy(standing, `Deploy ${shortCommit(target)}.`, 'It is what origin/main holds now.')
      : rest,
  }
}

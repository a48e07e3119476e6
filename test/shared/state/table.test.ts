import { describe, expect, it } from 'vitest'
import type { Gate } from '#shared/state/gates'
import { stateOf } from '#shared/state/state'
import { contradictionsOf } from '../../support/contradictions.ts'
import { rows } from './rows.ts'

/** One letter a gate, in order: pass, fail, blocked, unproven, running, waiting. */
const letters: Readonly<Record<Gate['state'], string>> = {
  pass: 'P',
  fail: 'F',
  blocked: 'B',
  unproven: 'U',
  running: 'R',
  waiting: '-',
}

/** Facts → six gates, tone, headline, next action, its button. */
const expected: readonly (readonly [string, string, string, string, string, string])[] = [
  ['a first commit, nothing shipped', '------', 'you', '1 commit to ship', 'ship', 'ready'],
  [
    'a first commit, a file not committed',
    '------',
    'you',
    '1 commit to ship',
    'commit',
    'blocked',
  ],
  [
    'a first commit, behind origin/main',
    '------',
    'you',
    '1 commit to ship',
    'integrate',
    'blocked',
  ],
  ['a ship that has not frozen its commit', 'R-----', 'running', 'Shipping', 'follow', 'ready'],
  ['a ship in its tests', 'R-----', 'running', 'Shipping 0000001c0ffe', 'follow', 'ready'],
  ['a ship in its review', 'PR----', 'running', 'Shipping 0000001c0ffe', 'follow', 'ready'],
  [
    'a ship of an earlier commit than the head',
    '------',
    'running',
    'Shipping 0000001c0ffe',
    'follow',
    'ready',
  ],
  ['tests failed', 'F-----', 'fail', 'The tests failed', 'fix', 'ready'],
  ['a test was skipped', 'B-----', 'blocked', 'Tests were skipped', 'fix', 'ready'],
  ['the review said no', 'PB----', 'blocked', 'The review asks for changes', 'fix', 'ready'],
  [
    'the review could not take place',
    'PB----',
    'blocked',
    'The review could not take place',
    'fix',
    'ready',
  ],
  [
    'no next action in the repository',
    'B-----',
    'blocked',
    'There is not exactly one next action',
    'plan',
    'ready',
  ],
  ['a ship was cancelled', 'F-----', 'skip', 'The ship was cancelled', 'ship', 'ready'],
  ['a ship was interrupted', 'PF----', 'warn', 'The run was interrupted', 'ship', 'ready'],
  ['a push that was not confirmed', 'PPF---', 'fail', 'The push is not confirmed', 'ship', 'ready'],
  ['tests failed, and a new commit since', '------', 'you', '2 commits to ship', 'ship', 'ready'],
  [
    'shipped, and nothing deployed yet',
    'PPP---',
    'you',
    '0000001c0ffe is pushed, not deployed yet',
    'deploy',
    'ready',
  ],
  [
    'shipped, its bundle not on the host yet',
    'PPP---',
    'you',
    '0000001c0ffe is pushed, not deployed yet',
    'deploy',
    'ready',
  ],
  [
    'shipped, and a person holds maintenance',
    'PPP---',
    'you',
    '0000001c0ffe is pushed, not deployed yet',
    'end_maintenance',
    'ready',
  ],
  [
    'shipped, and the maintenance file cannot be read',
    'PPP---',
    'you',
    '0000001c0ffe is pushed, not deployed yet',
    'end_maintenance',
    'ready',
  ],
  [
    'a second change is pushed, the first serves',
    'PPP---',
    'you',
    '0000005c0ffe is pushed, not deployed yet',
    'deploy',
    'ready',
  ],
  [
    'a deploy before its checkout',
    'PPPR--',
    'running',
    'Deploying 0000005c0ffe',
    'follow',
    'ready',
  ],
  ['a deploy that builds', 'PPPR--', 'running', 'Deploying 0000005c0ffe', 'follow', 'ready'],
  ['a deploy that has switched', 'PPPPR-', 'running', 'Deploying 0000005c0ffe', 'follow', 'ready'],
  [
    'U3: a deploy of the first while the second is shipped',
    'R-----',
    'running',
    'Shipping 0000004c0ffe',
    'follow',
    'ready',
  ],
  [
    'U3: that ship has pushed, the deploy goes on with its own commit',
    'PPP---',
    'running',
    'Deploying 0000001c0ffe',
    'follow',
    'ready',
  ],
  [
    'U3: a deploy before its checkout while a ship may move origin/main',
    'R-----',
    'running',
    'Shipping',
    'follow',
    'ready',
  ],
  ['deployed and green', 'PPPPPP', 'pass', '0000001c0ffe is DONE, with proof', 'nothing', 'none'],
  [
    'deployed, and the ship bundle is not on the host',
    'PPPPP-',
    'wait',
    '0000001c0ffe is deployed, its proof is not complete',
    'wait',
    'none',
  ],
  [
    'deployed, and a file of its proof is missing',
    'PPPPPF',
    'fail',
    '0000001c0ffe serves, but its proof is not complete',
    'deploy',
    'ready',
  ],
  ['green twice', 'PPPPPP', 'pass', '0000005c0ffe is DONE, with proof', 'nothing', 'none'],
  [
    'green, and a person holds maintenance',
    'PPPPPP',
    'pass',
    '0000001c0ffe is DONE, with proof',
    'end_maintenance',
    'ready',
  ],
  ['green, and a new commit', '------', 'you', '1 commit to ship', 'ship', 'ready'],
  [
    'green, a file changed and not committed',
    'PPPPPP',
    'pass',
    '0000001c0ffe is DONE, with proof',
    'nothing',
    'none',
  ],
  [
    'green, and the host does not answer',
    'PPPPPP',
    'fail',
    'aiops-1 is unreachable',
    'retry',
    'ready',
  ],
  [
    'green, a commit to ship, and the host does not answer',
    '------',
    'fail',
    'aiops-1 is unreachable',
    'ship',
    'ready',
  ],
  ['green, and the host refuses HQ', 'PPPPPP', 'fail', 'aiops-1 is refusing HQ', 'retry', 'ready'],
  [
    'green, and HQ connects again',
    'PPPPPP',
    'pass',
    '0000001c0ffe is DONE, with proof',
    'nothing',
    'none',
  ],
  ['green, and HQ itself does not answer', 'PPPPPP', 'fail', 'HQ does not answer', 'wait', 'none'],
  [
    'U2: a byte of the deploy proof differs',
    'PPPPUF',
    'fail',
    '0000001c0ffe serves, but its proof is broken',
    'deploy',
    'ready',
  ],
  [
    'U2: the result of the deploy cannot be read',
    'PPPPUF',
    'fail',
    '0000001c0ffe serves, but the result of its deploy cannot be read',
    'deploy',
    'ready',
  ],
  [
    'U2: the result cannot be read after an older red deploy',
    'PPPPUF',
    'fail',
    '0000005c0ffe serves, but the result of its deploy cannot be read',
    'deploy',
    'ready',
  ],
  [
    'U2: the ship proof on the laptop differs',
    'PPPPPF',
    'fail',
    '0000001c0ffe serves, but the proof of its ship is broken',
    'inspect_proof',
    'ready',
  ],
  [
    'U2: the ship proof on the host differs',
    'PPPPPF',
    'fail',
    '0000001c0ffe serves, but the proof of its ship is broken',
    'inspect_proof',
    'ready',
  ],
  [
    'U2: both copies of the ship proof differ',
    'UUPPPF',
    'fail',
    '0000001c0ffe serves, but the proof of its ship is broken',
    'inspect_proof',
    'ready',
  ],
  [
    'U2: a broken deploy proof, and a person holds maintenance',
    'PPPPUF',
    'fail',
    '0000001c0ffe serves, but its proof is broken',
    'end_maintenance',
    'ready',
  ],
  [
    'U2: a broken deploy proof, and a second change pushed',
    'PPP---',
    'fail',
    '0000001c0ffe serves, but its proof is broken',
    'deploy',
    'ready',
  ],
  [
    'U2: a broken deploy proof, and the host does not answer',
    'PPPPUF',
    'fail',
    'aiops-1 is unreachable',
    'retry',
    'ready',
  ],
  [
    'U2: a broken deploy proof is redeployed',
    'PPPPPP',
    'pass',
    '0000001c0ffe is DONE, with proof',
    'nothing',
    'none',
  ],
  [
    'the witness raises an alarm',
    'PPPPPF',
    'fail',
    'The proof of aiops-1 differs from what HQ has witnessed',
    'inspect_proof',
    'ready',
  ],
  ['the build failed', 'PPPF--', 'fail', 'The build failed', 'fix', 'ready'],
  [
    'a service did not become healthy',
    'PPPF--',
    'fail',
    'A service is not healthy',
    'fix',
    'ready',
  ],
  [
    'main could not be fetched',
    'PPPF--',
    'fail',
    'The host could not fetch from origin',
    'deploy',
    'ready',
  ],
  [
    'an unreviewed commit was refused',
    'PPPB--',
    'blocked',
    'The commit has no approved review',
    'fix',
    'ready',
  ],
  [
    'a deploy was cancelled before its switch',
    'PPPF--',
    'skip',
    'The deploy was cancelled',
    'deploy',
    'ready',
  ],
  [
    'U4: a deploy was cancelled after its switch',
    'PPPPF-',
    'skip',
    '0000005c0ffe serves, but is not verified',
    'deploy',
    'ready',
  ],
  [
    'U4: a service failed after the switch',
    'PPPPF-',
    'fail',
    '0000005c0ffe serves, but is not verified',
    'fix',
    'ready',
  ],
  [
    'U4: a first deploy was cancelled after its switch',
    'PPPPF-',
    'skip',
    '0000001c0ffe serves, but is not verified',
    'deploy',
    'ready',
  ],
  [
    'U4: cancelled after its switch, and a new commit',
    '------',
    'warn',
    '0000005c0ffe serves, but is not verified',
    'deploy',
    'ready',
  ],
  [
    'U4: cancelled after its switch, and a person holds maintenance',
    'PPPPF-',
    'skip',
    '0000005c0ffe serves, but is not verified',
    'end_maintenance',
    'ready',
  ],
  ['rolled back', 'PPP---', 'you', '0000005c0ffe was rolled back', 'unpin', 'ready'],
  [
    'rolled back, and the fix is shipped',
    'PPP---',
    'you',
    '000000bc0ffe is pushed, not deployed yet',
    'deploy',
    'ready',
  ],
  [
    'rolled back, and a rollback runs again',
    'PPPPPP',
    'running',
    'Rolling back to 0000001c0ffe',
    'follow',
    'ready',
  ],
  [
    'U4: rolled back, then the newest again, cancelled after its switch',
    'PPPPF-',
    'skip',
    '0000005c0ffe serves, but is not verified',
    'unpin',
    'ready',
  ],
  [
    'rolled back, and a person holds maintenance',
    'PPP---',
    'you',
    '0000005c0ffe was rolled back',
    'end_maintenance',
    'ready',
  ],
  [
    'another version was started by hand',
    'PPPUU-',
    'warn',
    '0000001c0ffe serves, not 0000005c0ffe',
    'deploy',
    'ready',
  ],
  [
    'green, and doctor fails',
    'PPPPPP',
    'pass',
    '0000001c0ffe is DONE, with proof',
    'doctor',
    'ready',
  ],
  ...(
    [
      ['green, and every connector is ready', 'nothing', 'none'],
      ['green, and Kajabi is not connected', 'connect', 'ready'],
      ['green, and Gmail expired', 'connect', 'ready'],
      ['green, and Gmail is unreachable', 'nothing', 'none'],
      ['green, and Kajabi ends in three days', 'nothing', 'none'],
      ['green, and Kajabi ends today', 'connect', 'ready'],
      ['green, and a sign-in waits for the person', 'connect', 'ready'],
      ['green, and a connector is being connected', 'nothing', 'none'],
      ['green, and an attempt failed while the old sign-in holds', 'nothing', 'none'],
      ['green, a connector expired, and doctor fails', 'doctor', 'ready'],
      ['console: green, and Gmail expired', 'connect', 'ready'],
    ] as const
  ).map(
    ([facts, next, button]) =>
      [facts, 'PPPPPP', 'pass', '0000001c0ffe is DONE, with proof', next, button] as const,
  ),
  ['no host is enrolled', '------', 'you', 'No host is enrolled', 'enrol_host', 'ready'],
  ['no repository and no host', '------', 'you', 'No host is enrolled', 'enrol_host', 'ready'],
  [
    'everything is on origin/main, and nothing was shipped here',
    '------',
    'wait',
    'Nothing to ship',
    'nothing',
    'none',
  ],
  [
    'console: deployed and green',
    'PPPPPP',
    'pass',
    '0000001c0ffe is DONE, with proof',
    'nothing',
    'none',
  ],
  [
    'console: pushed, not deployed',
    'PPP---',
    'you',
    '0000005c0ffe is pushed, not deployed yet',
    'deploy',
    'ready',
  ],
  [
    'console: a byte of the deploy proof differs',
    'PPPPUF',
    'fail',
    '0000001c0ffe serves, but its proof is broken',
    'deploy',
    'ready',
  ],
  ['console: the build failed', 'PPPF--', 'fail', 'The build failed', 'fix', 'ready'],
  [
    'console: the ship failed on the laptop',
    'PPPPPP',
    'pass',
    '0000001c0ffe is DONE, with proof',
    'nothing',
    'none',
  ],
]

describe('the state that HQ shows', () => {
  it('has a row for each of at least 60 situations, and each row its own facts', () => {
    expect(rows.length).toBeGreaterThanOrEqual(60)
    expect(rows.map(({ facts }) => facts)).toEqual(expected.map(([facts]) => facts))
  })

  it.each(expected)('%s', (facts, gates, tone, title, next, button) => {
    const built = rows.find((row) => row.facts === facts)?.build()
    if (built === undefined) throw new Error(`no row ${facts}`)
    const known = { cut: false, ...built }
    const state = stateOf(known)
    expect([
      state.change.gates.map((gate) => letters[gate.state]).join(''),
      state.headline.tone,
      state.headline.title,
      state.next.id,
      state.next.button?.press.state ?? 'none',
    ]).toEqual([gates, tone, title, next, button])
    expect(contradictionsOf(known.overview, state)).toEqual([])
  })
  it.each([
    ['deployed and green', null],
    ['green, and every connector is ready', null],
    ['green, and Kajabi is not connected', 'you: Kajabi not connected'],
    ['green, and Gmail expired', 'you: Gmail expired'],
    ['green, and Gmail is unreachable', 'warn: Gmail unreachable'],
    ['green, and Kajabi ends in three days', 'warn: Kajabi expires in 3 days'],
    ['green, and Kajabi ends today', 'you: Kajabi expires today'],
    ['green, and a sign-in waits for the person', 'you: Gmail needs you'],
    ['green, and a connector is being connected', 'running: Gmail connecting'],
    ['green, and an attempt failed while the old sign-in holds', null],
    ['console: green, and Gmail expired', 'you: Gmail expired'],
  ])('%s: the mark of Connectors', (facts, expectedMark) => {
    const built = rows.find((row) => row.facts === facts)?.build()
    if (built === undefined) throw new Error(`no row ${facts}`)
    const { connectors } = stateOf({ cut: false, ...built }).marks
    expect(connectors && `${connectors.tone}: ${connectors.text}`).toBe(expectedMark)
  })

  it.each([
    [
      'U2: a byte of the deploy proof differs',
      [
        'pass 0000001c0ffe serves on aiops-1',
        'fail The proof of the deploy 00000003 on aiops-1: It differs from what was sealed proof_broken',
      ],
    ],
    [
      'U2: the ship proof on the laptop differs',
      [
        'pass 0000001c0ffe serves on aiops-1',
        'fail The proof of the ship 00000002 on this laptop: It differs from what was sealed proof_broken',
        'pass The copy on aiops-1 is whole, so the ship stays proven',
      ],
    ],
    [
      'U2: both copies of the ship proof differ',
      [
        'pass 0000001c0ffe serves on aiops-1',
        'fail The proof of the ship 00000002 on aiops-1: It differs from what was sealed proof_broken',
        'fail The proof of the ship 00000002 on this laptop: It differs from what was sealed proof_broken',
        'fail No whole proof of the ship is left',
      ],
    ],
    [
      'U2: a broken deploy proof, and a person holds maintenance',
      [
        'pass 0000001c0ffe serves on aiops-1',
        'fail The proof of the deploy 00000003 on aiops-1: It differs from what was sealed proof_broken',
        'warn Maintenance is held by anna@example.com',
      ],
    ],
    [
      'U2: the result of the deploy cannot be read',
      [
        'pass 0000001c0ffe serves on aiops-1',
        'fail deploy_result.json of the deploy 00000003 on aiops-1 cannot be read state_invalid',
      ],
    ],
    ['green twice', []],
  ])('says where things stand: %s', (facts, wanted) => {
    const built = rows.find((row) => row.facts === facts)?.build()
    if (built === undefined) throw new Error(`no row ${facts}`)
    const { stands } = stateOf({ cut: false, ...built })
    expect(
      stands.map(({ tone, text, error_class }) => [tone, text, error_class ?? ''].join(' ').trim()),
    ).toEqual(wanted)
  })

  it('U2: calls a result of doctor that cannot be read by name, and no older one healthy', () => {
    const built = rows.find(({ facts }) => facts === 'deployed and green')?.build()
    if (built === undefined) throw new Error('the row is gone')
    const { status } = built.overview
    const run_id = '20261201T120000Z-0000d0c7'
    const found = { kind: 'doctor' as const, run_id, file: 'doctor.json', detail: 'It is cut.' }
    const overview = { ...built.overview, status: status && { ...status, unreadable: [found] } }
    const { health } = stateOf({ cut: false, ...built, overview })
    expect(health).toMatchObject({
      title: 'The last result of doctor cannot be read',
      tone: 'fail',
      outdated: 'the result of doctor 0000d0c7 cannot be read',
    })
  })

  it('U2: Why of a broken deploy leads to the files of that proof', () => {
    const built = rows
      .find(({ facts }) => facts === 'U2: a byte of the deploy proof differs')
      ?.build()
    if (built === undefined) throw new Error('the row is gone')
    const runId = built.overview.status?.bundles.deploy?.run_id
    expect(stateOf({ cut: false, ...built }).next.why?.path).toBe(`/proofs/host/deploy/${runId}`)
  })
})

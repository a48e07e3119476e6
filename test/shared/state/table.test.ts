import { describe, expect, it } from 'vitest'
import type { Gate } from '#shared/state/gates'
import { stateOf } from '#shared/state/state'
import { contradictionsOf } from '../../support/contradictions.ts'
import { expected } from './expected.ts'
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

import { describe, expect, it } from 'vitest'
import { statusReply } from '#shared/api'
import { gatesOf, type GateFacts } from '#shared/state/gates'
import { troublesOf } from '#shared/state/proof'
import type { ProofState } from '#shared/proof'
import {
  deployDocument,
  deploySteps,
  dodDocument,
  greenStatus,
  shipDocument,
  shipSteps,
  steps,
} from '../../support/documents.ts'

const commit = 'a'.repeat(40)
const other = 'b'.repeat(40)
const facts: GateFacts = {
  commit,
  ship: shipDocument(commit),
  shipStep: null,
  status: greenStatus(commit),
  deployStep: null,
  shipCopies: ['host'],
  troubles: [],
  alarmed: false,
  remote: commit,
}
const states = (input: Parameters<typeof gatesOf>[0]): string =>
  gatesOf(input)
    .gates.map(({ state }) => state)
    .join(' ')

describe('the six gates of a change', () => {
  it('are all green, and the change is done, when every document is about this commit', () => {
    expect(statusReply.safeParse(greenStatus(commit)).error).toBeUndefined()
    expect(gatesOf(facts)).toMatchObject({ done: true, scripted_review: false })
    expect(gatesOf(facts).gates.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'tests pass',
      'review pass',
      'pushed pass',
      'deployed pass',
      'verified pass',
      'proof pass',
    ])
  })

  it('ignore a green ship of another commit', () => {
    expect(states({ ...facts, ship: shipDocument(other) })).toBe(
      'waiting waiting waiting pass pass waiting',
    )
  })

  it('ignore a green deploy of another commit', () => {
    expect(states({ ...facts, status: greenStatus(other) })).toBe(
      'pass pass pass waiting waiting waiting',
    )
  })

  it('do not trust a push that was not read back', () => {
    expect(
      gatesOf({ ...facts, ship: shipDocument(commit, { remote_sha: other }) }).gates[2],
    ).toMatchObject({ state: 'fail', detail: 'push_unconfirmed' })
  })

  it('do not trust a deploy whose DoD belongs to another run, or whose state names another', () => {
    const status = greenStatus(commit)
    const foreignDod = {
      ...status,
      last_dod: {
        ...status.last_dod,
        result: dodDocument(commit, { deploy_run_id: '20261122T000000Z-00000000' }),
      },
    }
    expect(gatesOf({ ...facts, status: foreignDod }).gates[4]).toMatchObject({
      state: 'fail',
      detail: 'state_not_written',
    })
    expect(gatesOf({ ...facts, status: { ...status, state: null } }).gates[4]).toMatchObject({
      state: 'fail',
    })
  })

  it('do not trust a deploy whose steps passed and whose green check did not', () => {
    const status = greenStatus(commit)
    const red = deployDocument(commit, {
      overall: 'FAIL',
      step_failed: 'green_check',
      error_class: 'green_check_failed',
    })
    expect(
      gatesOf({
        ...facts,
        status: {
          ...status,
          last_deploy: { ...status.last_deploy, ok: false, overall: 'FAIL', result: red },
        },
      }).gates[4],
    ).toMatchObject({ state: 'fail', detail: 'green_check_failed' })
  })

  it('distinguish a review that said no from a test that broke', () => {
    const blocked = shipDocument(commit, {
      overall: 'FAIL',
      step_failed: 'review_auto',
      error_class: 'review_unavailable',
      steps: steps(shipSteps, 'review_auto'),
      pushed_sha: null,
      remote_sha: null,
    })
    expect(gatesOf({ ...facts, ship: blocked }).gates.slice(0, 3)).toMatchObject([
      { state: 'pass' },
      { state: 'blocked', detail: 'review_unavailable' },
      { state: 'waiting' },
    ])
    const broken = shipDocument(commit, {
      overall: 'FAIL',
      step_failed: 'tests',
      error_class: 'tests_failed',
      steps: steps(shipSteps, 'tests'),
      pushed_sha: null,
      remote_sha: null,
    })
    expect(gatesOf({ ...facts, ship: broken }).gates[0]).toMatchObject({
      state: 'fail',
      detail: 'tests_failed',
    })
  })

  it('name the file that is missing from a proof', () => {
    const status = greenStatus(commit)
    const incomplete = {
      ...status,
      bundles: {
        ...status.bundles,
        deploy: { ...status.bundles.deploy!, complete: false, missing: ['dod_result.json'] },
      },
    }
    expect(gatesOf({ ...facts, status: incomplete })).toMatchObject({ done: false })
    expect(gatesOf({ ...facts, status: incomplete }).gates[5]).toMatchObject({
      state: 'fail',
      detail: 'missing dod_result.json',
    })
  })

  it('name the state of both bundles of a proof', () => {
    const status = greenStatus(commit)
    const proof = (ship: ProofState, deploy: ProofState) => {
      const bundles = {
        ship: { ...status.bundles.ship!, verification: ship },
        deploy: { ...status.bundles.deploy!, verification: deploy },
      }
      const now = { ...status, bundles }
      const troubles = troublesOf({ status: now, ship_proof: null })
      const { state, detail } = gatesOf({ ...facts, status: now, troubles }).gates[5] ?? {}
      return `${state} ${detail}`
    }
    expect([
      proof('verified', 'verified'),
      proof('verified', 'unverified'),
      proof('unverified', 'verified'),
      proof('broken', 'verified'),
      proof('verified', 'broken'),
    ]).toEqual([
      'pass verified',
      'pass unverified',
      'pass unverified',
      'fail broken',
      'fail broken',
    ])
  })

  it('wait while the ship bundle is not on the host yet', () => {
    const status = greenStatus(commit)
    expect(
      gatesOf({ ...facts, status: { ...status, bundles: { ...status.bundles, ship: null } } })
        .gates[5],
    ).toMatchObject({ state: 'waiting' })
  })

  it('show where a running ship or deploy is', () => {
    expect(states({ ...facts, ship: null, shipStep: 'review_auto', status: null })).toBe(
      'pass running waiting waiting waiting waiting',
    )
    expect(states({ ...facts, ship: null, shipStep: 'preflight', status: null })).toBe(
      'running waiting waiting waiting waiting waiting',
    )
    expect(states({ ...facts, deployStep: 'console_build' })).toBe(
      'pass pass pass running waiting waiting',
    )
    expect(states({ ...facts, deployStep: 'dod_production' })).toBe(
      'pass pass pass pass running waiting',
    )
  })

  it('show a failed deploy at the gate it failed', () => {
    const failed = deployDocument(commit, {
      overall: 'FAIL',
      step_failed: 'console_build',
      error_class: 'console_build_failed',
      steps: steps(deploySteps, 'console_build'),
    })
    const status = greenStatus(commit)
    expect(
      gatesOf({
        ...facts,
        status: {
          ...status,
          last_deploy: { ...status.last_deploy, ok: false, overall: 'FAIL', result: failed },
        },
      }).gates[3],
    ).toMatchObject({ state: 'fail', detail: 'console_build_failed' })
  })
})

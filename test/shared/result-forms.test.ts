import { describe, expect, it } from 'vitest'
import { checksIn, resultForms, resultOf, type ResultKind } from '#shared/result-forms'
import type { CheckResult } from '#shared/result'
import { deployDocument, dodDocument } from '../support/documents.ts'

const commit = 'a'.repeat(40)
const check: CheckResult = {
  name: 'disk',
  status: 'PASS',
  detail: 'There is space.',
  remedy: null,
  duration_ms: 3,
}
const dod = dodDocument(commit, { checks: [check] })
const deploy = deployDocument(commit)
const { deploy_run_id: _, doctor_run_id: _doctor, joined: _joined, checks: _checks, ...plain } = dod
const doctor = { ...plain, kind: 'doctor', deploy_run_id: null, checks: [check] }
const phase0 = { ...plain, kind: 'phase0', checks: [check], connectors: null }
const documents: Readonly<Record<ResultKind, unknown>> = {
  checks: doctor,
  connectors: phase0,
  deploy,
  dod,
  plain,
}
const kinds = Object.keys(resultForms) as ResultKind[]

describe('the result of an action', () => {
  it.each(kinds)('is read in the form of its kind: %s', (kind) => {
    expect(resultOf(kind, documents[kind])).toEqual({ kind, document: documents[kind] })
  })

  it('of another kind, or missing, is not taken for one', () => {
    for (const kind of kinds.filter((each) => each !== 'plain')) {
      for (const other of kinds.filter((each) => each !== kind))
        expect(resultOf(kind, documents[other]), `${other} as ${kind}`).toBeNull()
    }
    for (const kind of kinds) expect(resultOf(kind, null)).toBeNull()
  })

  it('lists its checks where its kind has some', () => {
    const found = kinds.map((kind) => [kind, checksIn(resultOf(kind, documents[kind])).length])
    expect(Object.fromEntries(found)).toEqual({
      checks: 1,
      connectors: 1,
      deploy: 0,
      dod: 1,
      plain: 0,
    })
    expect(checksIn(null)).toEqual([])
  })
})

import { describe, expect, it } from 'vitest'
import { diagnosisIds, rungNames } from '#shared/host-connection'
import { diagnosisText, onlyWarns, rungOf } from '#shared/state/diagnosis'
import { diagnose, rungsOf } from '../../../../desktop/operator/host/diagnose.ts'
import { fine, observed } from '../../../support/observations.ts'

describe('the diagnosis of a host', () => {
  it.each(observed)('finds for: %s', (_what, differs, id) => {
    expect(diagnose({ ...fine, ...differs })?.id ?? null).toBe(id)
  })

  it('has a row for every diagnosis', () => {
    expect(new Set(observed.map(([, , id]) => id))).toEqual(new Set([null, ...diagnosisIds]))
  })

  it.each(observed.filter(([, , id]) => id !== null))(
    'places on the way to the host: %s',
    (_what, differs) => {
      const seen = { ...fine, ...differs }
      const finding = diagnose(seen)
      if (finding === null) throw new Error('nothing was found')
      const rungs = rungsOf(seen, finding)
      expect(rungs.map(({ name }) => name)).toEqual(rungNames)
      const at = rungNames.indexOf(rungOf(finding.id))
      const states = rungs.map((rung) => rung.state)
      expect(states[at]).toMatch(/fail|warn/)
      expect(states.filter((each) => each === 'fail' || each === 'warn')).toHaveLength(1)
      if (states[at] === 'fail')
        expect(new Set(states.slice(at + 1))).toEqual(at === 7 ? new Set() : new Set(['not_tried']))
    },
  )

  it('has words and one remedy for each, and only what the host answers beside warns', () => {
    const base = { detail: 'Seen.', rungs: [], page: null, change: null, at: '', took_ms: 0 }
    const texts = diagnosisIds.map((id) => diagnosisText({ ...base, id }, 'aiops-1'))
    expect(new Set(texts.map(({ title }) => title)).size).toBe(diagnosisIds.length)
    expect(texts.every(({ remedy }) => remedy.kind !== 'open_page')).toBe(true)
    expect(diagnosisIds.filter(onlyWarns)).toEqual(['clock_skew', 'relay_slow'])
  })
})

import { describe, expect, it } from 'vitest'
import { actionIds, actionOf } from '#shared/actions'
import { remediations } from '#shared/errors/remediations'
import { bundleKinds } from '#shared/proof'
import { resultForms } from '#shared/result-forms'

describe('the table of actions', () => {
  it('has a title, a button and a result kind for every action', () => {
    for (const id of actionIds) {
      const { title, button, result } = actionOf(id)
      for (const text of [title, button]) expect(text, id).toMatch(/^[A-Z][^.]*[^. ]$/)
      expect(Object.keys(resultForms), id).toContain(result)
    }
  })

  it('says which actions leave a proof, and in which folder', () => {
    const leaving = actionIds.flatMap((id) => {
      const { bundle } = actionOf(id)
      return bundle === null ? [] : [`${id}: ${bundle}`]
    })
    expect(leaving.toSorted()).toEqual([
      'deploy_and_verify: deploy',
      'doctor: doctor',
      'dod: dod',
      'phase0: phase0',
      'rollback: deploy',
    ])
    for (const id of actionIds) {
      const { bundle } = actionOf(id)
      if (bundle !== null) expect(bundleKinds).toContain(bundle)
    }
  })

  it('has every button that a remedy names', () => {
    const buttons = [...actionIds.map((id) => actionOf(id).button), 'Ship']
    const named = Object.values(remediations).flatMap(
      ({ title }) => /press ([A-Z][\w+ ]*?) in HQ/i.exec(title)?.slice(1) ?? [],
    )
    expect(named.toSorted()).toEqual(['End maintenance', 'End maintenance', 'Roll back', 'Ship'])
    for (const name of named) expect(buttons).toContain(name)
  })
})

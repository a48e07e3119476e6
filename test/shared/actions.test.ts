import { describe, expect, it } from 'vitest'
import { actionIds, actionOf } from '#shared/actions'
import { bundleKinds } from '#shared/proof'

describe('the table of actions', () => {
  it('has a title, a button and a result kind for every action', () => {
    for (const id of actionIds) {
      const { title, button, result } = actionOf(id)
      for (const text of [title, button]) expect(text, id).toMatch(/^[A-Z][^.]*[^. ]$/)
      expect(['checks', 'connectors', 'deploy', 'dod', 'plain'], id).toContain(result)
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
})

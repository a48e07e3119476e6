import { describe, expect, it } from 'vitest'
import { errorClasses, errorTable, Problem, toProblem, type ErrorClass } from '#shared/errors'
import { remediations } from '#shared/remediations'

describe('the table of failure classes', () => {
  it('names an existing remediation for every class', () => {
    for (const name of errorClasses)
      expect(remediations, name).toHaveProperty(errorTable[name].next_auto_fix)
  })

  it('cannot make a class that is not in it', () => {
    expect(() => new Problem('made_up' as ErrorClass, 'x')).toThrow(/not in shared\/errors/)
  })

  it('turns a full disk into disk_full and a bug into internal_error, with the cause kept', () => {
    const full = Object.assign(new Error('write'), { code: 'ENOSPC' })
    expect(toProblem(full)).toMatchObject({ errorClass: 'disk_full', cause: full })
    const bug = new TypeError('x')
    expect(toProblem(bug)).toMatchObject({ errorClass: 'internal_error', cause: bug })
    const known = new Problem('tests_failed', 'two tests failed')
    expect(toProblem(known)).toBe(known)
  })
})

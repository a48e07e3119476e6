import { describe, expect, it } from 'vitest'
import { bypassedRules } from '#ops/features/ship/preflight/bypassed-rules'

describe('G13 what origin prints about its rules', () => {
  it.each([
    [
      [
        'remote: Bypassed rule violations for refs/heads/main:        ',
        'remote: ',
        'remote: - Changes must be made through a pull request.        ',
        'remote: - 2 of 2 required status checks are expected.        ',
        'remote: ',
        'remote: Processing changes: refs: 1',
      ],
      [
        'Bypassed rule violations for refs/heads/main:',
        '- Changes must be made through a pull request.',
        '- 2 of 2 required status checks are expected.',
      ],
    ],
    [
      ['remote: warning: bypassing branch protection of main'],
      ['warning: bypassing branch protection of main'],
    ],
    [
      ['remote: TF402455: the branch policy was bypassed by your permission.'],
      ['TF402455: the branch policy was bypassed by your permission.'],
    ],
    [
      ['remote: Bypassed rule violations for refs/heads/no-0:'],
      ['Bypassed rule violations for refs/heads/no-0:'],
    ],
    [
      ['remote: branch protection bypassed: pushed without a pull request, not by a merge'],
      ['branch protection bypassed: pushed without a pull request, not by a merge'],
    ],
  ])('counts as a bypass', (lines, said) => {
    expect(bypassedRules(lines)).toEqual(said)
  })

  it.each([
    'remote: No rule was bypassed.',
    'remote: 0 rules bypassed',
    'remote: Pushed without bypassing any rule.',
    'remote: You cannot bypass the rules of this branch.',
    'remote: See https://example.com/bypass for help',
    'Bypassed rule violations, as a local hook says',
    'remote: Resolving deltas: 100% (1/1), completed with 1 local object.',
  ])('does not count: %s', (line) => {
    expect(bypassedRules([line])).toEqual([])
  })
})

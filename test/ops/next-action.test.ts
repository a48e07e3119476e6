import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseNextAction, readNextAction, withNextAction } from '#ops/next-action'
import { programArgv } from '#ops/program'

describe('the one next action', () => {
  it.each([
    ['# Next action\n\n- Ship it.\n', 'Ship it.'],
    ['\uFEFFIntro\n# Next action\r\n\r\nWhy.\r\n\r\n1. Ship\r\n   the rest\r\n\r\n## Later\r\n- other\r\n', 'Ship the rest'],
    ['# Next action\n<!-- - hidden -->\n* [ ] Ship it.', 'Ship it.'],
  ])('is read from %j', (text, action) => expect(parseNextAction(text)).toBe(action))

  it.each(['', '- Ship it.', '# Next action\n', '# Next action\n\nShip it.\n', '# Next action\n- a\n- b\n', '# Next action\n- a\n  - b\n', '# Next action\n-\n', '# Next action\n- [x] done\n', '# Next action\n- a\n# Next action\n- b\n', `# Next action\n- ${'a'.repeat(501)}`])(
    'is not there in %j', (text) => expect(() => parseNextAction(text)).toThrow(expect.objectContaining({ errorClass: 'next_action_invalid' })))

  it('is replaced where it stands, and the rest of the file stays', () => {
    expect(withNextAction('Intro\n\n# Next action\n\n- a\n- b\n\n## Later\n\n- c\n', 'New\none')).toBe('Intro\n\n# Next action\n\n- New one\n\n## Later\n\n- c\n')
    expect(withNextAction('Prose.\n', 'x')).toBe('Prose.\n\n# Next action\n\n- x\n')
    expect(() => withNextAction(null, '  ')).toThrow(expect.objectContaining({ errorClass: 'next_action_invalid' }))
  })
})

describe('hq next', () => {
  let repo: string
  beforeEach(() => {
    repo = mkdtempSync(join(tmpdir(), 'next-'))
    execFileSync('git', ['init', '--quiet', repo])
  })
  afterEach(() => rmSync(repo, { recursive: true, force: true }))
  const hq = (...args: string[]): string => {
    const [program, ...rest] = programArgv('hq', ['next', ...args, '--repo', repo])
    return execFileSync(program, rest, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  }

  it('sets and shows it, and fails to show what is not there', () => {
    expect(() => hq('show')).toThrow('next_action_invalid')
    expect(hq('set', 'Deploy to aiops-1')).toBe('Deploy to aiops-1\n')
    expect(hq('show')).toBe('Deploy to aiops-1\n')
    expect(readNextAction(repo)).toBe('Deploy to aiops-1')
    expect(readFileSync(join(repo, 'docs', 'OPENCLAW_NEXT.md'), 'utf8')).toBe('# Next action\n\n- Deploy to aiops-1\n')
  })
})

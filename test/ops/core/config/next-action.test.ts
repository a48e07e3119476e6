import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseNextAction, readNextAction, withNextAction } from '#ops/core/config/next-action'
import { programArgv } from '#ops/base/process/program'

describe('the one next action', () => {
  it.each([
    ['# Next action\n\n- Ship it.\n', 'Ship it.'],
    [
      '\uFEFFIntro\n# Next action\r\n\r\nWhy.\r\n\r\n1. Ship\r\n   the rest\r\n\r\n## Later\r\n- other\r\n',
      'Ship the rest',
    ],
    ['# Next action\n<!-- - hidden -->\n* [ ] Ship it.', 'Ship it.'],
  ])('is read from %j', (text, action) => expect(parseNextAction(text)).toBe(action))

  it.each([
    '',
    '- Ship it.',
    '# Next action\n',
    '# Next action\n\nShip it.\n',
    '# Next action\n- a\n- b\n',
    '# Next action\n- a\n  - b\n',
    '# Next action\n-\n',
    '# Next action\n- [x] done\n',
    '# Next action\n- a\n# Next action\n- b\n',
    `# Next action\n- ${'a'.repeat(501)}`,
  ])('is not there in %j', (text) =>
    expect(() => parseNextAction(text)).toThrow(
      expect.objectContaining({ errorClass: 'next_action_invalid' }),
    ),
  )

  it('is replaced where it stands, and the rest of the file stays', () => {
    expect(
      withNextAction('Intro\n\n# Next action\n\n- a\n- b\n\n## Later\n\n- c\n', 'New\none'),
    ).toBe('Intro\n\n# Next action\n\n- New one\n\n## Later\n\n- c\n')
    expect(withNextAction('Prose.\n', 'x')).toBe('Prose.\n\n# Next action\n\n- x\n')
    expect(() => withNextAction(null, '  ')).toThrow(
      expect.objectContaining({ errorClass: 'next_action_invalid' }),
    )
    for (const hidden of ['Ship\u202E it', 'Ship \u001B[2Jit', 'Ship\u0000'])
      expect(() => withNextAction(null, hidden)).toThrow(
        expect.objectContaining({ errorClass: 'next_action_invalid' }),
      )
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
    expect(readFileSync(join(repo, 'docs', 'OPENCLAW_NEXT.md'), 'utf8')).toBe(
      '# Next action\n\n- Deploy to aiops-1\n',
    )
  })

  it('commits it alone, with the hooks of the repository; when git refuses, the file is as it was', () => {
    const git = (...args: string[]): string =>
      execFileSync('git', ['-c', 'user.name=T', '-c', 'user.email=t@localhost', ...args], {
        cwd: repo,
        encoding: 'utf8',
      }).trim()
    git('checkout', '--quiet', '-B', 'main')
    git('config', 'user.name', 'Operator')
    git('config', 'user.email', 'operator@localhost')
    writeFileSync(
      join(repo, 'openclaw.config.json'),
      JSON.stringify({
        schema_version: 1,
        project: 'x',
        tests: [{ name: 'unit', argv: ['true'], report: { format: 'junit', path: 'r.xml' } }],
      }),
    )
    git('add', '--all')
    git('commit', '--quiet', '-m', 'First')
    expect(hq('set', 'Ship it', '--commit')).toBe('Ship it\n')
    const head = git('rev-parse', 'HEAD')
    expect(git('show', '--name-only', '--format=%an: %s', 'HEAD')).toBe(
      'Operator: Next action: Ship it\n\ndocs/OPENCLAW_NEXT.md',
    )
    hq('set', 'Ship it', '--commit')
    expect(git('rev-parse', 'HEAD')).toBe(head)

    writeFileSync(
      join(repo, '.git', 'hooks', 'pre-commit'),
      '#!/bin/sh\necho "not on a Sunday" >&2\nexit 1\n',
      { mode: 0o755 },
    )
    expect(() => hq('set', 'Something else', '--commit')).toThrow(
      'commit_refused: The next action could not be committed: not on a Sunday',
    )
    expect([readNextAction(repo), git('status', '--porcelain')]).toEqual(['Ship it', ''])
    writeFileSync(join(repo, 'mine.txt'), 'x')
    expect(() => hq('set', 'Something else', '--commit')).toThrow('dirty_tree')
    expect(readNextAction(repo)).toBe('Ship it')
  })
})

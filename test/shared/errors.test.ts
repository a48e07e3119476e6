import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import {
  errorClasses,
  errorRule,
  errorTable,
  Problem,
  toProblem,
  type ErrorClass,
} from '#shared/errors'
import { deployErrors } from '#shared/errors/deploy'
import { hostErrors } from '#shared/errors/host'
import { requestErrors } from '#shared/errors/requests'
import { runErrors } from '#shared/errors/runs'
import { shipErrors } from '#shared/errors/ship'
import { problemText } from '#shared/problem-text'
import { remediationIds, remediations } from '#shared/errors/remediations'
import type { ResultDocument } from '#shared/result'
import { remedyAt } from '#shared/state/remedy'
import { printEvent } from '#ops/core/pipeline/report'

const areas = [shipErrors, deployErrors, hostErrors, runErrors, requestErrors]
const result = (error_class: ErrorClass): ResultDocument => ({
  schema_version: 1,
  run_id: '20260101T000000Z-00000000',
  overall: 'FAIL',
  step_failed: null,
  error_class,
  next_auto_fix: errorRule(error_class).next_auto_fix,
  git_head: null,
  git_tree: null,
  started_at: '2026-01-01T00:00:00.000Z',
  finished_at: '2026-01-01T00:00:00.000Z',
  steps: [],
  artifacts: {},
})

/** What the terminal shows at the end of a run that failed with this class. */
function printed(error_class: ErrorClass): string {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  try {
    printEvent({
      type: 'run_finished',
      time: '2026-01-01T00:00:00.000Z',
      result: result(error_class),
    })
    return write.mock.calls.map(([text]) => String(text)).join('')
  } finally {
    write.mockRestore()
  }
}

/** Every source file of the product outside `shared/errors`. */
const sources = ['shared', 'ops', 'hostd', 'desktop']
  .flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)),
  )
  .filter((path) => /\.tsx?$/.test(path) && !path.startsWith(join('shared', 'errors')))

describe('the table of failure classes', () => {
  it('names an existing remediation for every class', () => {
    for (const name of errorClasses)
      expect(remediations, name).toHaveProperty(errorTable[name].next_auto_fix)
  })

  it('holds each class in one area only', () => {
    const names = areas.flatMap((area) => Object.keys(area))
    expect(names.toSorted()).toEqual([...errorClasses].toSorted())
    expect(new Set(names).size).toBe(names.length)
  })

  it('can make a problem of every class', () => {
    for (const name of errorClasses)
      expect(new Problem(name, 'x')).toMatchObject({ errorClass: name, message: 'x' })
  })

  it('has a title and a sentence in plain form for every class, each its own', () => {
    const rows = errorClasses.map((name) => ({ name, ...errorRule(name) }))
    for (const { name, title, sentence } of rows) {
      expect(title, name).toMatch(/^[A-Za-z][^.:;]*[^.:; ]$/)
      expect(title.split(' ').length, name).toBeLessThanOrEqual(6)
      expect(sentence, name).toMatch(/^[A-Za-z][^\n]*[^.:; ]$/)
      expect(sentence.split(' ').length, name).toBeGreaterThanOrEqual(3)
      expect(`${title} ${sentence}`, name).not.toMatch(/\b(believed?|mend|anew|told|asked|ill)\b/i)
    }
    expect(new Set(rows.map(({ sentence }) => sentence)).size).toBe(rows.length)
  })

  it('is where terminal and window read the sentence: no source file holds a copy', () => {
    for (const name of errorClasses) {
      const { sentence, next_auto_fix } = errorRule(name)
      expect(problemText(new Problem(name, 'Why.', { evidence: ['a line'] })).split('\n')).toEqual([
        sentence,
        `${name}: Why.`,
        '  a line',
        `Next: ${remediations[next_auto_fix].title}`,
      ])
      expect(printed(name)).toContain(`FAIL ${name}: ${sentence}\n`)
    }
    const copies = sources.flatMap((path) => {
      const text = readFileSync(path, 'utf8')
      return errorClasses
        .filter((name) => text.includes(`'${errorRule(name).sentence}'`))
        .map((name) => `${path}: ${name}`)
    })
    expect(copies).toEqual([])
    const shown = sources.filter((path) => readFileSync(path, 'utf8').includes(').sentence'))
    expect(shown).toContain(join('desktop', 'renderer', 'ui', 'problem-note.tsx'))
    expect(shown).toContain(join('desktop', 'renderer', 'ui', 'why-red.tsx'))
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

describe('the remedies', () => {
  it('are whole sentences without a command line', () => {
    for (const id of remediationIds) {
      const { title } = remediations[id]
      expect(title, id).toMatch(/^[A-Z][^]*\.$/)
      expect(title, id).not.toMatch(/\b(mend|afresh|anew|settles?|takes? over)\b/i)
      // The one exception is a line of a file, not a command to type.
      if (id !== 'join_hook_manager') expect(title, id).not.toMatch(/`(?:hq|tailscale|sudo|git) /)
    }
  })
})

describe('U6: a remedy fits the place where it is read', () => {
  it('sends nobody on the console to settings or to a page that only the laptop has', () => {
    const wrong = remediationIds.filter((id) =>
      /HQ Settings|Ship page|[Pp]ress Ship\b/.test(remedyAt(id, 'console')),
    )
    expect(wrong).toEqual([])
    expect(remedyAt('set_next_action', 'laptop')).toContain('Ship page')
  })

  it('names no command to type', () => {
    const command = /`(?!openclaw-allow-secret)[a-z]+ |\bsudo\b|\bhq [a-z]|\bgit config\b/
    expect(remediationIds.filter((id) => command.test(remediations[id].title))).toEqual([])
  })

  it('does not blame versions for an address or a token that the laptop lacks', () => {
    expect(errorRule('setting_invalid').next_auto_fix).toBe('correct_setting')
    expect(errorRule('host_not_enrolled').next_auto_fix).toBe('enrol_host')
  })
})

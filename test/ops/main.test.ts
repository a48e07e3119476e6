import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { nodeProgram } from '#ops/base/process/program'

/** `hq` as it is started by a person, through its launcher. */
const hq = (...args: string[]): Promise<{ code: number; out: string; err: string }> =>
  new Promise((resolve) => {
    execFile(
      nodeProgram(),
      [join(process.cwd(), 'ops', 'hq.mjs'), ...args],
      { env: { PATH: process.env['PATH'] } },
      (error, out, err) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, out, err }),
    )
  })

describe('the command line', () => {
  it('says its version', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
    expect(await hq('--version')).toEqual({ code: 0, out: `${version}\n`, err: '' })
  })

  it.each([
    ['a command that there is not', ['shop'], /unknown command 'shop'/],
    ['an option that there is not', ['doctor', '--fast'], /unknown option '--fast'/],
    ['a word too many', ['doctor', 'now'], /too many arguments for 'doctor'/],
    ['a number that is none', ['ship', '--until-green', 'many'], /a number from 1 to 10/],
    [
      'a commit that is none',
      ['rollback', '--to', 'main'],
      /'--to <sha>' argument 'main' is invalid\. the full id of a commit/,
    ],
    ['a count that is none', ['guard-log', '--lines', '501'], /a whole number from 1 to 500/],
    ['a run that is none', ['runs', '--follow', '../../etc'], /the id of a run/],
    [
      'options that exclude each other',
      ['ship', '--init', '--json'],
      /'--init' cannot be used with option '--json'/,
    ],
  ])('calls %s by its name, and ends with 64', async (_what, args, says) => {
    const { code, out, err } = await hq(...args)
    expect({ code, out }).toEqual({ code: 64, out: '' })
    expect(err).toMatch(says)
  })
})

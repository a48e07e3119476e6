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
  it('prints its version', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
    expect(await hq('--version')).toEqual({ code: 0, out: `${version}\n`, err: '' })
  })

  it.each([
    ['an unknown command', ['shop'], /unknown command 'shop'/],
    ['an unknown option', ['doctor', '--fast'], /unknown option '--fast'/],
    ['too many arguments', ['doctor', 'now'], /too many arguments for 'doctor'/],
    ['an invalid number', ['ship', '--until-green', 'many'], /a number from 1 to 10/],
    [
      'an invalid commit',
      ['rollback', '--to', 'main'],
      /'--to <sha>' argument 'main' is invalid\. the full id of a commit/,
    ],
    ['an invalid count', ['guard-log', '--lines', '501'], /a whole number from 1 to 500/],
    ['an invalid run', ['runs', '--follow', '../../etc'], /the id of a run/],
    [
      'options that exclude each other',
      ['ship', '--init', '--json'],
      /'--init' cannot be used with option '--json'/,
    ],
  ])('names %s, and exits with 64', async (_what, args, says) => {
    const { code, out, err } = await hq(...args)
    expect({ code, out }).toEqual({ code: 64, out: '' })
    expect(err).toMatch(says)
  })
})

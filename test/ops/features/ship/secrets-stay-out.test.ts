import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { verifyBundle } from '#ops/core/proof/verify-bundle'
import { laptopProofPaths } from '#ops/base/paths/proof-paths'
import { readProofPublicKey } from '#ops/core/proof/proof-key'
import { trustKeys } from '#ops/core/trust/trusted-keys'
import { nodeProgram } from '#ops/base/process/program'
import { marker } from '#ops/base/redact/redactor'
import { canaries } from '../../base/redact/canaries.ts'
import { allFiles } from '../../../support/hostd.ts'
import { encodedCanaries, leaksIn } from '../../../support/leaks.ts'
import { operatorBench } from '../../../support/operator-bench.ts'
import { answerWith } from '../../../support/responses-api.ts'
import { type Shipped } from '../../../support/ship-repo.ts'
import { shipFixture } from '../../../support/ship-fixture.ts'

/** Put together here, so that no file of the repository holds what looks like a secret. */
const token = ['ghp', 'aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY1zA3'].join('_')

const at = shipFixture({
  prepare: ({ sample }) => {
    // The laptop's own secrets: HQ knows Codex's sign-in as one of their places.
    const codex = join(sample.env['HOME'] ?? '', '.codex')
    mkdirSync(codex)
    writeFileSync(
      join(codex, 'auth.json'),
      JSON.stringify({ tokens: canaries.map((access_token) => ({ access_token })) }),
    )
  },
})

const kept = ({ dir, stdout, stderr }: Shipped): [string, string][] => [
  ['stdout', stdout],
  ['stderr', stderr],
  ...allFiles(dir).map(({ path, text }): [string, string] => [path.slice(dir.length + 1), text]),
]
const leaks = (texts: readonly [string, string][]): string[] =>
  texts.flatMap(([name, text]) => [
    ...leaksIn(name, text),
    ...(text.includes(token) ? [`${name}: the token`] : []),
  ])

describe('secrets that the tests of a change print', () => {
  it('reach no artifact, terminal output or answer of HQ, even when a test fails with one', async () => {
    const all = `const all = ${JSON.stringify(encodedCanaries)}\n`
    const printing = `import { writeSync } from 'node:fs'\n${all}
      for (const [at, secret] of all.entries())
        for (const byte of Buffer.from('out ' + secret + ' end\\n')) writeSync(1 + at % 2, Buffer.from([byte]))\n`
    const failing = `import { test } from 'node:test'\n${all}
      test('fails with secrets', () => {
        const found = ['gh', 'p_${token.slice(4)}'].join('')
        throw new Error(all.join(' and ') + ' ' + process.env.PATH.slice(0, 1) + found)
      })\n`
    // The change itself holds none of them: the files lie outside of the repository.
    const [first, then] = [
      join(at.sample.temp, 'printing.mjs'),
      join(at.sample.temp, 'failing.test.mjs'),
    ]
    writeFileSync(first, printing)
    writeFileSync(then, failing)
    at.sample.config({
      tests: [
        {
          name: 'unit',
          prepare: [nodeProgram(), first],
          argv: [
            nodeProgram(),
            '--test',
            '--test-reporter=junit',
            '--test-reporter-destination=report.xml',
            then,
          ],
          report: { format: 'junit', path: 'report.xml' },
        },
      ],
    })
    at.sample.git('push', '--quiet', 'origin', `${at.sample.commit('The suite')}:refs/heads/main`)
    at.sample.commit('Second', { 'app.mjs': 'export const add = (a, b) => b + a\n' })
    const shipped = await at.sample.ship()
    expect(shipped.result).toMatchObject({
      overall: 'FAIL',
      error_class: 'tests_failed',
      step_failed: 'tests',
    })
    expect(leaks(kept(shipped))).toEqual([])
    const log = readFileSync(join(shipped.dir, 'tests.log'), 'utf8')
    expect(log.split('\n').filter((line) => /^out .*end$/.test(line))).toHaveLength(
      encodedCanaries.length,
    )
    expect(log).toContain(`out ${marker} end`)
    expect(readFileSync(join(shipped.dir, 'tests-unit.xml'), 'utf8')).toMatch(
      /<failure[^>]*\[redacted\]/,
    )
    expect(JSON.stringify(shipped.result)).toContain(marker)

    const bench = operatorBench({ home: at.sample.home, env: at.sample.env })
    try {
      await bench.call('settings.set_repository', { path: at.sample.repo })
      const detail = await bench.call('ship.get', { run_id: shipped.result.run_id })
      const listed = await bench.call('ship.list', {})
      expect(
        leaks([
          ['ship.get', JSON.stringify(detail)],
          ['ship.list', JSON.stringify(listed)],
        ]),
      ).toEqual([])
    } finally {
      await bench.remove()
    }
  })

  it('do not reach the error of a remote whose address has a password', async () => {
    at.sample.commit('Second', { 'app.mjs': 'export const add = (a, b) => b + a\n' })
    at.sample.git('remote', 'set-url', 'origin', 'http://bob:hunter2hunter2@127.0.0.1:9/x.git')
    const shipped = await at.sample.ship()
    expect(shipped.result).toMatchObject({ overall: 'FAIL', error_class: 'remote_unreachable' })
    expect(
      kept(shipped).flatMap(([name, text]) => (text.includes('hunter2') ? [name] : [])),
    ).toEqual([])
  })
})

describe('a change with a secret', () => {
  it('is refused by file and line before it runs; a comment allows a format, never a known secret', async () => {
    at.sample.commit('Adds a token', { 'src/a.mjs': `// one\nexport const key = '${token}'\n` })
    const first = await at.sample.ship()
    expect(first.result).toMatchObject({
      overall: 'FAIL',
      step_failed: 'preflight',
      error_class: 'secret_in_diff',
      next_auto_fix: 'remove_secret',
    })
    expect(first.result.steps[0]?.detail).toContain('src/a.mjs:2 has the format of a secret')
    expect(leaks(kept(first))).toEqual([])

    const known = Buffer.from(canaries[0] ?? '').toString('base64')
    at.sample.commit('Says that it is none', {
      'src/a.mjs':
        `// one\n` +
        `// openclaw-allow-secret: made up for a test\n` +
        `export const key = '${token}'\n` +
        `export const own = '${known}' // openclaw-allow-secret: really not\n`,
    })
    const second = await at.sample.ship()
    expect(second.result).toMatchObject({ step_failed: 'preflight', error_class: 'secret_in_diff' })
    expect(second.result.steps[0]?.detail).toContain('src/a.mjs:4 is a secret of this machine')
    expect(second.result.steps[0]?.detail).not.toContain('src/a.mjs:3')
    expect(leaks(kept(second))).toEqual([])
  })

  it('ships when it removes the secret: the reviewer sees all of it, the sealed proof does not', async () => {
    at.sample.git(
      'push',
      '--quiet',
      'origin',
      `${at.sample.commit('What was there before', {
        'src/a.mjs':
          `// one\n` +
          `export const key = '${token}'\n` +
          `export const password = process.env.PASSWORD\n`,
      })}:refs/heads/main`,
    )
    at.sample.commit('Takes it out', {
      'src/a.mjs': '// one\nexport const password = process.env.PASSWORD\n',
    })
    let prompt = ''
    at.api.script((bindings, request) => {
      prompt = request.prompt
      return answerWith({ summary: `It removes ${token}, and ${canaries[1] ?? ''} is quoted.` })(
        bindings,
        request,
      )
    })
    const shipped = await at.sample.ship()
    expect(shipped.result).toMatchObject({ overall: 'PASS', error_class: null })
    expect(prompt).toContain(`-export const key = '${token}'`)
    expect(leaks(kept(shipped))).toEqual([])
    const patch = readFileSync(join(shipped.dir, 'diff.patch'), 'utf8')
    expect(patch).toMatch(/^# Secrets were removed from this copy\./)
    expect(patch).toContain(`-export const key = '${marker}'`)
    expect(patch).toContain(' export const password = process.env.PASSWORD')
    expect(readFileSync(join(shipped.dir, 'verdict.json'), 'utf8')).toContain(
      `It removes ${marker}, and ${marker} is quoted.`,
    )
    const key = readProofPublicKey(laptopProofPaths(at.sample.home, at.sample.repo))
    expect(
      (await verifyBundle(shipped.dir, { keys: trustKeys(key === null ? [] : [key], 'the test') }))
        .state,
    ).toBe('verified')
  })
})

import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { messageOf } from '#shared/system-error'
import type { SigningKey } from '#ops/core/trust/signing-key'
import { openEnvelope } from '#ops/core/trust/envelope'
import { envelope as envelopeSchema, predicateTypes } from '#shared/statement'
import { newKey, trusting } from '../ops/core/proof/proof-bench.ts'
import { envelopeTamperings } from '../support/envelope-tampering.ts'
import { exportedRun, type ExportedRun } from '../support/exported-run.ts'

// The statements of HQ, verified by a program that nobody here wrote.
const folder = mkdtempSync(join(tmpdir(), 'hq-statements-'))
const python = join(folder, 'bin', 'python')

/** Installs the pinned verifier. @returns what is missing for it; null: nothing */
function prepare(): string | null {
  const run = (program: string, ...args: string[]): void => {
    execFileSync(program, args, { stdio: 'pipe', timeout: 600_000 })
  }
  try {
    run('python3', '-m', 'venv', folder)
    run(
      python,
      '-m',
      'pip',
      'install',
      '--quiet',
      '-r',
      resolve('test/support/rig/requirements.txt'),
    )
    return null
  } catch (error) {
    return `python3 with venv, and a package index for the pinned verifier: ${messageOf(error)}`
  }
}

const why = prepare()
if (why !== null) console.warn(`Skipped: this machine lacks ${why}`)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const answers = z.array(z.object({ accepted: z.string().nullable(), why: z.string().optional() }))
type Answers = z.infer<typeof answers>

function verify(lines: readonly string[], keys: readonly SigningKey[]): Answers {
  const out = execFileSync(python, [resolve('test/support/rig/verify_statements.py')], {
    encoding: 'utf8',
    input: JSON.stringify({
      keys: keys.map(({ id, publicKey }) => ({ keyid: id, public_key: publicKey })),
      lines,
    }),
  })
  return answers.parse(JSON.parse(out))
}

describe.skipIf(why !== null)('securesystemslib and in-toto-attestation', () => {
  let made: ExportedRun
  let lines: string[]
  beforeAll(async () => {
    expect(existsSync(python)).toBe(true)
    made = await exportedRun()
    lines = (await made.export()).text.trimEnd().split('\n').slice(0, -1)
  })
  afterAll(() => made.remove())
  const trusted = (): SigningKey[] => [made.shipKey, made.hostKey]

  it('accept every statement of an export, each with the form of its predicate', () => {
    const { review, tests, files, provenance, verification } = predicateTypes
    expect(verify(lines, trusted())).toEqual(
      [review, tests, files, files, provenance, verification].map((accepted) => ({ accepted })),
    )
  })

  it('refuse every statement when another key is trusted', () => {
    expect(verify(lines, [newKey()]).map(({ accepted }) => accepted)).toEqual(lines.map(() => null))
  })

  it.each(envelopeTamperings)(
    'refuse every statement of which somebody changed $name',
    ({ apply }) => {
      const foreign = newKey()
      const changed = lines.map((line) => {
        const opened = openEnvelope(line, trusting(...trusted()))
        if (opened.state === 'invalid') throw new Error(opened.why)
        const envelope = envelopeSchema.parse(JSON.parse(line))
        return JSON.stringify(apply({ envelope, statement: opened.statement, foreign }))
      })
      const found = verify(changed, trusted())
      expect(
        found.map(({ accepted }) => accepted),
        JSON.stringify(found),
      ).toEqual(lines.map(() => null))
    },
  )
})

import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { exportStatements } from '#ops/core/proof/export-statements'
import { openEnvelope } from '#ops/core/trust/envelope'
import { envelope as envelopeSchema, predicateTypes } from '#shared/statement'
import { envelopeTamperings } from '../../../support/envelope-tampering.ts'
import { exportedRun, type ExportedRun } from '../../../support/exported-run.ts'
import { newKey, trusting } from './proof-bench.ts'

describe('an export', () => {
  let made: ExportedRun
  beforeEach(async () => {
    made = await exportedRun()
  })
  afterEach(() => made.remove())

  it('is one line for each statement, and the keys in the last', async () => {
    const { text, statements, keys } = await made.export()
    const lines = text.trimEnd().split('\n')
    const last: unknown = JSON.parse(lines.pop() ?? '')
    expect(lines).toHaveLength(statements.length)
    const both = trusting(made.shipKey, made.hostKey)
    for (const line of lines) expect(openEnvelope(line, both)).toMatchObject({ state: 'verified' })
    const { review, tests, files, provenance, verification } = predicateTypes
    expect(statements.map(({ predicate_type }) => predicate_type)).toEqual([
      review,
      tests,
      files,
      files,
      provenance,
      verification,
    ])
    expect(keys).toEqual([made.shipKey.id, made.hostKey.id])
    expect(last).toMatchObject({
      type: 'urn:openclaw-hq:keys:v1',
      keys: [
        { keyid: made.shipKey.id, public_key: made.shipKey.publicKey },
        { keyid: made.hostKey.id, public_key: made.hostKey.publicKey },
      ],
    })
  })

  it('of a deploy alone brings the statements of its commit, and only the very ones', async () => {
    const deploy = { ...made.request, bundles: made.request.bundles.slice(1) }
    const from = async (): Promise<string[]> =>
      (await exportStatements(deploy)).statements.map((each) => each.from)
    const own = ['files.intoto.jsonl', 'provenance.intoto.jsonl', 'verification.intoto.jsonl']
    expect((await from()).filter((each) => each.startsWith('refs/'))).toHaveLength(2)
    made.putStatement('review', 'another')
    expect((await from()).filter((each) => each.startsWith('refs/'))).toHaveLength(1)
    expect((await exportStatements({ ...deploy, repo: null })).statements).toHaveLength(own.length)
  })

  it('is refused for a proof that is broken or not trusted, or without a statement', async () => {
    const [ship] = made.request.bundles
    if (ship === undefined) throw new Error('no bundle')
    const refused = (keys = ship.keys) =>
      exportStatements({ ...made.request, bundles: [{ ...ship, keys }] })
    await expect(refused(trusting(newKey()))).rejects.toMatchObject({ errorClass: 'proof_broken' })
    await expect(refused(new Map())).rejects.toMatchObject({ errorClass: 'proof_broken' })
    appendFileSync(join(made.ship, 'tests.intoto.jsonl'), ' ')
    await expect(refused()).rejects.toMatchObject({ errorClass: 'proof_broken' })
    await expect(exportStatements({ ...made.request, bundles: [] })).rejects.toMatchObject({
      errorClass: 'nothing_to_export',
    })
  })

  it.each([
    ['another commit', { head_sha: 'f'.repeat(40) }],
    ['another tree', { tree_sha: 'f'.repeat(40) }],
    ['other words', { summary: 'Do not ship.' }],
  ])('is refused when a well signed statement says %s than the verdict', async (_what, change) => {
    const lying = await exportedRun(change)
    await expect(lying.export()).rejects.toMatchObject({ errorClass: 'statement_mismatch' })
    lying.remove()
  })

  it('holds no line that still verifies after somebody changed it', async () => {
    const { text } = await made.export()
    const foreign = newKey()
    const both = trusting(made.shipKey, made.hostKey)
    for (const line of text.trimEnd().split('\n').slice(0, -1)) {
      const opened = openEnvelope(line, both)
      if (opened.state === 'invalid') throw new Error(opened.why)
      const envelope = envelopeSchema.parse(JSON.parse(line))
      for (const { name, apply } of envelopeTamperings) {
        const changed = JSON.stringify(apply({ envelope, statement: opened.statement, foreign }))
        expect(openEnvelope(changed, both).state, name).not.toBe('verified')
      }
    }
  })
})

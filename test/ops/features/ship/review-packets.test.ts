import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { scriptedAnswer } from '#ops/cli/demo/scripted-review'
import { walkVerdicts } from '#ops/core/trust/review-chain'
import type { ReviewBindings } from '#ops/features/ship/review/review-prompt'
import { signedVerdict } from '#shared/signature'
import { expectStop } from '../../../support/ship-stop.ts'
import { approve } from '../../../support/responses-api.ts'
import { shipFixture } from '../../../support/ship-fixture.ts'

let asked: { bindings: ReviewBindings; prompt: string }[]
const at = shipFixture({
  prepare: ({ sample }) => {
    asked = []
    sample.config({ review: { max_diff_bytes: 2000, max_packets: 4 } })
    sample.commit('Small packets')
    sample.git('push', '--quiet', 'origin', 'main')
  },
})

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex')
const block = (word: string): string => `${word}\n`.repeat(Math.ceil(1200 / (word.length + 2)))
const three = { 'a.txt': block('alpha'), 'b.txt': block('beta'), 'package-lock.json': block('{}') }
const listen = (reply: (bindings: ReviewBindings, number: number) => object): void =>
  at.api.script((bindings, { prompt }) => {
    asked.push({ bindings, prompt })
    return { text: JSON.stringify(reply(bindings, asked.length)) }
  })

describe('a change that is too large for one request', () => {
  it('goes in parts of whole files, each with its own nonce and digest, that together are the diff', async () => {
    const base = at.sample.git('rev-parse', 'HEAD')
    writeFileSync(
      join(at.sample.repo, 'logo.png'),
      Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * 7919) % 256)),
    )
    const head = at.sample.commit('Large', three)
    listen((bindings, number) => ({
      ...scriptedAnswer(bindings),
      findings: [
        {
          severity: 'note',
          file: bindings.files[0],
          line: 1,
          title: `Seen in ${number}`,
          body: '',
        },
      ],
    }))
    const { result, dir } = await at.sample.ship()
    expect(result.overall).toBe('PASS')
    expect(result.steps[2]?.detail).toContain('4 files in 3 parts, 3 notes')

    const verdict = signedVerdict.parse(JSON.parse(readFileSync(join(dir, 'verdict.json'), 'utf8')))
    const packets = verdict.packets ?? []
    expect(packets.map(({ index, files }) => [index, files])).toEqual([
      [1, ['a.txt']],
      [2, ['b.txt', 'logo.png']],
      [3, ['package-lock.json']],
    ])
    expect(asked.map(({ bindings }) => [bindings.nonce, bindings.diff_sha256])).toEqual(
      packets.map(({ nonce, diff_sha256 }) => [nonce, diff_sha256]),
    )
    expect(new Set(packets.map(({ nonce }) => nonce)).size).toBe(3)
    const diff = readFileSync(join(dir, 'diff.patch'))
    expect(verdict.diff_sha256).toBe(sha256(diff))
    const starts = ['a.txt', 'b.txt', 'package-lock.json'].map((name) =>
      diff.indexOf(`diff --git a/${name} `),
    )
    expect(packets.map(({ diff_sha256 }) => diff_sha256)).toEqual(
      starts.map((from, at) => sha256(diff.subarray(from, starts[at + 1] ?? diff.length))),
    )
    expect(
      packets.map(({ index }) =>
        sha256(readFileSync(join(dir, 'packets', String(index), 'review_prompt.txt'))),
      ),
    ).toEqual(packets.map(({ prompt_sha256 }) => prompt_sha256))
    expect(verdict.prompt_sha256).toBe(sha256(readFileSync(join(dir, 'review_prompt.txt'))))
    expect(verdict.nonce).toBe(sha256(packets.map(({ nonce }) => nonce).join('\n')))
    expect(verdict.findings.map(({ title }) => title)).toEqual([
      'Seen in 1',
      'Seen in 2',
      'Seen in 3',
    ])
    expect(verdict.usage?.input_tokens).toBe(
      packets.reduce((sum, { usage }) => sum + (usage?.input_tokens ?? 0), 0),
    )

    // Binary: named with blob and size, its bytes not shown. Generated: said so, and shown whole.
    const blob = at.sample.git('rev-parse', 'HEAD:logo.png')
    expect(asked[1]?.prompt).toContain(`Before: none. After: blob ${blob}, 5000 bytes.`)
    expect(asked[1]?.prompt).not.toContain('GIT binary patch')
    expect(asked[2]?.prompt).toContain(
      '"package-lock.json" added, +300 -0, generated (lock file): shown whole',
    )
    expect(
      verdict.files.map(
        ({ path, handling }) => `${path} ${handling?.split(/[:(]/)[0]?.trim() ?? '-'}`,
      ),
    ).toEqual(['a.txt -', 'b.txt -', 'logo.png binary', 'package-lock.json generated'])
    expect(asked[0]?.prompt).toContain('part 1 of 3')
    expect(
      await walkVerdicts({
        repo: at.sample.repo,
        target: head,
        baseline: base,
        acceptedProviders: [{ id: 'loopback', base_url: at.api.base_url }],
        readVerdict: () => Promise.resolve(readFileSync(join(dir, 'verdict.json'), 'utf8')),
      }),
    ).toMatchObject({ proven: true })
  })

  it('is refused with all findings when one part is, or when a part gets the answer of another', async () => {
    at.sample.commit('Large', three)
    listen((bindings, number) => ({
      ...scriptedAnswer(bindings),
      ...(number === 2 ? { verdict: 'CHANGES_REQUESTED' } : {}),
      findings: [
        {
          severity: number === 2 ? 'blocking' : 'note',
          file: bindings.files[0],
          line: 1,
          title: `Said in ${number}`,
          body: '',
        },
      ],
    }))
    const { dir } = await expectStop(at.sample, {
      error_class: 'review_blocked',
      step: 'review_auto',
      fix: 'fix_findings_and_ship',
      exit: 2,
      detail: '1 of 3 parts',
    })
    expect(asked).toHaveLength(3)
    expect(JSON.parse(readFileSync(join(dir, 'review_answer.json'), 'utf8'))).toMatchObject({
      verdict: 'CHANGES_REQUESTED',
      files_reviewed: ['a.txt', 'b.txt', 'package-lock.json'],
      findings: [{ title: 'Said in 1' }, { title: 'Said in 2' }, { title: 'Said in 3' }],
    })
    expect(existsSync(join(dir, 'verdict.json'))).toBe(false)

    asked = []
    listen((bindings) => ({
      ...scriptedAnswer(asked[0]?.bindings ?? bindings),
      files_reviewed: Object.keys(three),
    }))
    await expectStop(at.sample, {
      error_class: 'review_mismatch',
      step: 'review_auto',
      fix: 'ship_again',
      exit: 2,
      detail: 'nonce',
    })
    expect(asked).toHaveLength(2)
  })

  it('is refused when a single file is too large, or when it takes more parts than the base allows', async () => {
    at.api.script(approve)
    const before = at.api.calls()
    at.sample.commit('One file', { 'long.txt': block('word').repeat(3) })
    await expectStop(at.sample, {
      error_class: 'review_too_large',
      step: 'review_auto',
      fix: 'split_change',
      exit: 2,
      detail: 'long.txt alone',
    })
    at.sample.git('rm', '--quiet', 'long.txt')
    at.sample.config({ review: { max_diff_bytes: 2000, max_packets: 50 } })
    at.sample.commit(
      'Many',
      Object.fromEntries(Array.from({ length: 5 }, (_, at) => [`${at}.txt`, block(`w${at}`)])),
    )
    await expectStop(at.sample, {
      error_class: 'review_too_large',
      step: 'review_auto',
      fix: 'split_change',
      exit: 2,
      detail: 'at most 4',
    })
    expect(at.api.calls()).toBe(before)
  })
})

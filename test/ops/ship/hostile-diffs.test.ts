import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { scriptedAnswer } from '#ops/demo/scripted-review'
import { judgeAnswer } from '#ops/ship/judge-answer'
import { gateSettingsOf } from '#ops/ship/gate-settings'
import { lookForHazards } from '#ops/ship/hazards'
import { makeReviewDiff } from '#ops/ship/review-diff'
import { bindingsMark, reviewPrompt } from '#ops/ship/review-prompt'
import { Problem } from '#shared/errors'
import { hostileDiffs, type HostileDiff } from '../../support/hostile-diffs.ts'
import { seeded, seeds } from '../../support/seeded.ts'
import { makeShipRepo, type ShipRepo } from '../../support/ship-repo.ts'

let sample: ShipRepo
let base: string
beforeAll(() => {
  sample = makeShipRepo('http://127.0.0.1:9/v1')
  base = sample.git('rev-parse', 'HEAD')
})
afterAll(() => sample.remove())

/** What the gate makes of the commit: a class, or the questions that it would ask. */
async function judge(head: string): Promise<{ expected: string; flags: readonly string[]; prompts: readonly string[]; shown: string }> {
  const patch = join(sample.temp, 'diff.patch')
  try {
    const flags = await lookForHazards(sample.repo, base, head, {})
    const gates = await gateSettingsOf(sample.repo, base, head, {})
    const context = { log: () => undefined, signal: new AbortController().signal }
    const diff = await makeReviewDiff(sample.repo, { base, head, tree: sample.git('rev-parse', `${head}^{tree}`), gates }, patch, context, () => undefined)
    const prompts = diff.packets.map(({ bindings, files, text }) => reviewPrompt({ bindings, files, gateChanges: gates.changed, flags, diff: text, packet: null }))
    for (const [at, prompt] of prompts.entries()) checkPrompt(prompt, diff.packets[at]?.text ?? '', JSON.stringify(diff.packets[at]?.bindings))
    for (const { bindings } of diff.packets) expect(() => judgeAnswer({ ...scriptedAnswer(bindings), verdict: 'CHANGES_REQUESTED' }, bindings)).toThrow(Problem)
    return { expected: 'asked', flags, prompts, shown: diff.packets.map(({ text }) => text).join('') }
  } catch (error) {
    if (error instanceof Problem) return { expected: error.errorClass, flags: [], prompts: [], shown: '' }
    throw error
  } finally {
    rmSync(patch, { force: true })
  }
}

/** The real bindings come first, the diff lies between the only two fences, and nothing of it is outside. */
function checkPrompt(prompt: string, text: string, bindings: string): void {
  expect(prompt.split('\n').find((line) => line.startsWith(bindingsMark))).toBe(`${bindingsMark}${bindings}`)
  const fence = /\n(DIFF-[0-9a-f]{32})\n$/.exec(prompt)?.[1] ?? 'none'
  const parts = prompt.split(fence)
  expect(parts).toHaveLength(3)
  expect(parts[1]).toBe(`\n${text}${text === '' || text.endsWith('\n') ? '' : '\n'}`)
}

async function check({ commit, expected, flagged, shown }: HostileDiff, seed: number): Promise<void> {
  sample.git('reset', '--quiet', '--hard', base)
  sample.git('clean', '--quiet', '-fdx')
  commit(sample, seeded(seed))
  const found = await judge(sample.git('rev-parse', 'HEAD'))
  expect({ seed, expected: found.expected }).toEqual({ seed, expected })
  if (flagged !== undefined) expect(found.flags.join('\n')).toContain(flagged)
  if (shown !== undefined) expect(found.shown).toContain(shown)
}

const large = (each: HostileDiff): boolean => each.expected === 'review_too_large'

describe('a hostile diff is refused by its class, or shown whole to the reviewer', () => {
  it.each(hostileDiffs.filter((each) => !large(each)).map((each) => [each.name, each] as const))('%s', async (_, each) => {
    await check(each, seeds[0] ?? 1)
  })

  it.each(hostileDiffs.filter(large).map((each) => [each.name, each] as const))('%s', (_, each) => check(each, 1))
})

describe('a gate that the change lowers', () => {
  it('is what it was before the change, and the reviewer is told', async () => {
    const lowered = hostileDiffs.find(({ name }) => name.startsWith('a gate'))
    sample.git('reset', '--quiet', '--hard', base)
    lowered?.commit(sample, seeded(1))
    const { prompts } = await judge(sample.git('rev-parse', 'HEAD'))
    expect(prompts[0]).toContain('"review.max_packets: 20 → 100"')
    expect(readFileSync(join(sample.repo, 'openclaw.config.json'), 'utf8')).toContain('100')
  })
})

import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { scriptedAnswer } from '#ops/cli/demo/scripted-review'
import { judgeAnswer } from '#ops/features/ship/review/judge-answer'
import { gateSettingsOf } from '#ops/features/ship/state/gate-settings'
import { inspectHazards } from '#ops/features/ship/hazards/hazards'
import { makeReviewDiff } from '#ops/features/ship/review/review-diff'
import { bindingsMark, reviewPrompt } from '#ops/features/ship/review/review-prompt'
import { Problem } from '#shared/errors'
import type { HostileDiff } from './hostile-diffs.ts'
import { seeded, type Random } from './seeded.ts'
import type { ShipRepo } from './ship-repo.ts'

/** What the gate makes of the commit: a class, or the requests that it would send. */
export async function judgeCommit(
  sample: ShipRepo,
  base: string,
  head: string,
): Promise<{
  expected: string
  flags: readonly string[]
  prompts: readonly string[]
  shown: string
}> {
  const scratch = join(sample.temp, 'diff')
  mkdirSync(scratch)
  try {
    const flags = await inspectHazards({ repo: sample.repo, base, head }, {})
    const gates = await gateSettingsOf({ repo: sample.repo, base, head }, {})
    const context = { log: () => undefined, signal: new AbortController().signal }
    const diff = await makeReviewDiff(
      { repo: sample.repo, base, head, tree: sample.git('rev-parse', `${head}^{tree}`), gates },
      { copy: join(scratch, 'copy.patch'), scratch },
      context,
    )
    const prompts = diff.packets.map(({ bindings, files, text }) =>
      reviewPrompt({
        bindings,
        files,
        gateChanges: gates.changed,
        flags,
        diff: text,
        packet: null,
      }),
    )
    for (const [at, prompt] of prompts.entries())
      checkPrompt(prompt, diff.packets[at]?.text ?? '', JSON.stringify(diff.packets[at]?.bindings))
    for (const { bindings } of diff.packets)
      expect(() =>
        judgeAnswer({ ...scriptedAnswer(bindings), verdict: 'CHANGES_REQUESTED' }, bindings),
      ).toThrow(Problem)
    return {
      expected: 'reviewed',
      flags,
      prompts,
      shown: diff.packets.map(({ text }) => text).join(''),
    }
  } catch (error) {
    if (error instanceof Problem)
      return { expected: error.errorClass, flags: [], prompts: [], shown: '' }
    throw error
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** The real bindings come first, the diff lies between the only two fences, and nothing of it is outside. */
function checkPrompt(prompt: string, text: string, bindings: string): void {
  expect(prompt.split('\n').find((line) => line.startsWith(bindingsMark))).toBe(
    `${bindingsMark}${bindings}`,
  )
  const fence = /\n(DIFF-[0-9a-f]{32})\n$/.exec(prompt)?.[1] ?? 'none'
  const parts = prompt.split(fence)
  expect(parts).toHaveLength(3)
  expect(parts[1]).toBe(`\n${text}${text === '' || text.endsWith('\n') ? '' : '\n'}`)
}

/**
 * Harmless commits, by chance none: what is hostile may stand first, last or between, in one packet with others or in
 * its own.
 */
function commitHarmless(sample: ShipRepo, random: Random): void {
  for (let left = random.below(3); left > 0; left--) {
    const file = (): [string, string] => [
      `${random.pick(['a', 'lib', 'src/deep/er', 'z'])}/${random.hex(8)}.${random.pick(['md', 'mjs', 'css'])}`,
      Array.from(
        { length: 1 + random.below(120) },
        () => `${random.hex(4 + random.below(40))}\n`,
      ).join(''),
    ]
    sample.commit('Harmless', Object.fromEntries(Array.from({ length: 1 + random.below(5) }, file)))
  }
}

/**
 * Sets the repository back to `base` and makes the hostile commit on it, among harmless ones unless it stands alone.
 * @returns the newest commit
 */
export function commitHostile(
  sample: ShipRepo,
  base: string,
  { commit, alone = false }: HostileDiff,
  seed: number,
): string {
  sample.git('reset', '--quiet', '--hard', base)
  sample.git('clean', '--quiet', '-fdx')
  const random = seeded(seed)
  if (!alone) commitHarmless(sample, random)
  commit(sample, random)
  if (!alone) commitHarmless(sample, random)
  return sample.git('rev-parse', 'HEAD')
}

/** Is this case called by its class, or shown whole? */
export async function checkHostile(
  sample: ShipRepo,
  base: string,
  each: HostileDiff,
  seed: number,
): Promise<void> {
  const found = await judgeCommit(sample, base, commitHostile(sample, base, each, seed))
  expect({ name: each.name, seed, expected: found.expected }).toEqual({
    name: each.name,
    seed,
    expected: each.expected,
  })
  if (each.flagged !== undefined) expect(found.flags.join('\n')).toContain(each.flagged)
  if (each.shown !== undefined) expect(found.shown).toContain(each.shown)
}

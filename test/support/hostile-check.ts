import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { scriptedAnswer } from '#ops/cli/demo/scripted-review'
import { judgeAnswer } from '#ops/features/ship/review/judge-answer'
import { gateSettingsOf } from '#ops/features/ship/state/gate-settings'
import { inspectHazards } from '#ops/features/ship/hazards/hazards'
import { makeReviewDiff } from '#ops/features/ship/review/review-diff'
import { bindingsMark, reviewPrompt } from '#ops/features/ship/review/review-prompt'
import { Problem } from '#shared/errors'
import type { HostileDiff } from './hostile-diffs/index.ts'
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
      {
        repo: sample.repo,
        base,
        head,
        tree: sample.git('rev-parse', `${head}^{tree}`),
        unproven: [],
        gates,
      },
      { copy: join(scratch, 'copy.patch'), besideCopy: join(scratch, 'beside.patch'), scratch },
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
 * Harmless commits on top of `parent`, by chance none: what is hostile may stand first, last or between, in one packet
 * with others or in its own. Written straight into the objects, because a campaign makes thousands of them.
 * @returns the newest commit
 */
function commitHarmless(sample: ShipRepo, parent: string, random: Random): string {
  const file = (): string => {
    const path = `${random.pick(['a', 'lib', 'src/deep/er', 'z'])}/${random.hex(8)}`
    const line = (): string => `${random.hex(4 + random.below(40))}\n`
    const text = Array.from({ length: 1 + random.below(120) }, line).join('')
    return `M 100644 inline ${path}.${random.pick(['md', 'mjs', 'css'])}\n${importData(text)}`
  }
  const commits = Array.from({ length: random.below(3) }, (_, at) =>
    [
      `commit ${importRef}\ncommitter Test <test@localhost> 1700000000 +0000\n`,
      importData('Harmless'),
      at === 0 ? `from ${parent}\n` : '',
      ...Array.from({ length: 1 + random.below(5) }, file),
    ].join(''),
  )
  if (commits.length === 0) return parent
  execFileSync('git', ['fast-import', '--quiet', '--force', '--done'], {
    cwd: sample.repo,
    input: `${commits.join('')}done\n`,
  })
  return readFileSync(join(sample.repo, '.git', importRef), 'utf8').trim()
}

const importRef = 'refs/test/harmless'
const importData = (text: string): string => `data ${Buffer.byteLength(text)}\n${text}\n`

/**
 * Sets the repository back to `base` and makes the hostile commit on it, among harmless ones unless it stands alone.
 * The branch stays at the hostile commit.
 * @returns the newest commit
 */
export function commitHostile(
  sample: ShipRepo,
  base: string,
  { commit, alone = false }: HostileDiff,
  seed: number,
): string {
  const random = seeded(seed)
  sample.git('reset', '--quiet', '--hard', alone ? base : commitHarmless(sample, base, random))
  sample.git('clean', '--quiet', '-fdx')
  commit(sample, random)
  const hostile = sample.git('rev-parse', 'HEAD')
  return alone ? hostile : commitHarmless(sample, hostile, random)
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

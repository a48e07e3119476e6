import { afterAll, beforeAll, expect, it } from 'vitest'
import { scriptedAnswer } from '#ops/cli/demo/scripted-review'
import { nodeProgram } from '#ops/base/process/program'
import { checkHostile, commitHostile } from '../support/hostile-check.ts'
import { hostileAnswers } from '../support/hostile-answers.ts'
import { hostileDiffs } from '../support/hostile-diffs/index.ts'
import { startResponsesApi, type ResponsesApi } from '../support/responses-api.ts'
import { seeded } from '../support/seeded.ts'
import { makeShipRepo, type ShipRepo } from '../support/ship-repo.ts'
import { campaignSeeds, report, seedSeries } from './seeds.ts'

let api: ResponsesApi
let sample: ShipRepo
let base: string
beforeAll(async () => {
  api = await startResponsesApi()
  sample = makeShipRepo(api.base_url)
  // The tests say nothing about the content, so that every case reaches the gate that it is about.
  sample.config({
    tests: [
      {
        name: 'unit',
        argv: [
          nodeProgram(),
          '-e',
          `require('fs').writeFileSync('report.xml', '<testsuites><testcase name="fine"/></testsuites>')`,
        ],
        report: { format: 'junit', path: 'report.xml' },
      },
    ],
  })
  base = sample.commit('A test that always passes')
  sample.git('push', '--quiet', 'origin', 'main')
})
afterAll(async () => {
  await sample.remove()
  await api.close()
})

it.each(seedSeries())(
  'hostile diffs are refused by their class or shown whole, by the functions of the gate: %s',
  async (_, seeds) => {
    const failed: string[] = []
    let cases = 0
    for (const [at, seed] of seeds.entries()) {
      for (const each of hostileDiffs.filter(({ alone = false }) => !alone || at === 0)) {
        cases += 1
        await checkHostile(sample, base, each, seed).catch((error: unknown) =>
          failed.push(`seed ${seed}, ${each.name}: ${String(error)}`),
        )
      }
    }
    report('hostile diffs, by the functions of the gate', seeds, cases, failed.length)
    expect(failed).toEqual([])
  },
)

/** Ships what is checked out. @returns class of the refusal, or what is wrong with it */
async function ship(): Promise<string> {
  const before = JSON.stringify(sample.remoteRefs())
  const { result, exitCode } = await sample.ship()
  if (result.overall === 'PASS' || exitCode === 0) return 'WRONGLY APPROVED'
  if (JSON.stringify(sample.remoteRefs()) !== before) return 'PUSHED'
  return result.error_class ?? 'no class'
}

it('a hostile diff or answer in hq ship with the real Codex CLI is never approved and has its class', async () => {
  // A whole ship takes seconds: one seed in twenty.
  const seeds = campaignSeeds().filter((_, at) => at % 20 === 0)
  const wrong: string[] = []
  for (const seed of seeds) {
    api.script((bindings) => ({
      text: JSON.stringify({ ...scriptedAnswer(bindings), verdict: 'CHANGES_REQUESTED' }),
    }))
    for (const each of hostileDiffs) {
      sample.git('reset', '--quiet', '--hard', commitHostile(sample, base, each, seed))
      const [found, expected] = [
        await ship(),
        each.expected === 'reviewed' ? 'review_blocked' : each.expected,
      ]
      if (found !== expected)
        wrong.push(`seed ${seed}, ${each.name}: ${found} instead of ${expected}`)
    }
    sample.git('reset', '--quiet', '--hard', base)
    sample.commit('Change', { 'app.mjs': 'export const add = (a, b) => b + a\n', 'new.txt': 'x\n' })
    for (const each of hostileAnswers) {
      api.script((bindings) => ({ text: each.make(bindings, seeded(seed)) }))
      const found = await ship()
      if (found !== each.expected)
        wrong.push(`seed ${seed}, answer: ${each.name}: ${found} instead of ${each.expected}`)
    }
  }
  report(
    'hostile diffs and answers, through hq ship with the real Codex CLI',
    seeds,
    seeds.length * (hostileDiffs.length + hostileAnswers.length),
    wrong.length,
  )
  expect(wrong).toEqual([])
})

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { members } from '#ops/base/process/process-tree'
import { until } from '../../../support/ship-repo.ts'
import { approve } from '../../../support/responses-api.ts'
import { read, right, UntilGreen } from '../../../support/until-green.ts'

const green = new UntilGreen()

describe('until green stops', { timeout: 300_000 }, () => {
  it('stops at the same failure, at a repair without a change, and at any other class', async () => {
    green.breakIt()
    green.implementer(`appendFileSync('notes.txt', 'still thinking\\n')`)
    expect((await green.ship(5)).result).toMatchObject({
      error_class: 'tests_failed',
      until_green: { stopped: 'the same failure again', attempts: [{}, {}], repairs: [{}] },
    })
    green.expectUntouched()
    green.implementer('')
    const idle = await green.ship(5)
    expect(idle.result).toMatchObject({
      error_class: 'tests_failed',
      step_failed: 'tests',
      git_head: green.head,
      until_green: {
        stopped: 'repair 1 made no commit: repair_without_change',
        attempts: [{}],
        repairs: [{ error_class: 'repair_without_change', commit: null }],
      },
    })
    expect(idle.result.steps.at(-1)).toMatchObject({
      name: 'repair',
      status: 'failed',
      log: 'repairs/1/repair.log',
    })
    expect(existsSync(join(idle.dir, 'repairs/1/repair.log'))).toBe(true)
    green.expectUntouched()
    writeFileSync(join(green.at.sample.repo, 'dirty.txt'), 'x')
    expect((await green.ship(5)).result).toMatchObject({
      error_class: 'dirty_tree',
      until_green: { stopped: 'dirty_tree is not repaired', repairs: [] },
    })
  })

  it('ends an implementer that takes too long, fails, or leaves processes behind', async () => {
    green.breakIt()
    green.implementer(
      `console.log('begun'); spawn('setsid', ['sleep', '600'], { stdio: 'ignore' }).unref(); ` +
        'setInterval(() => {}, 1000)',
      { timeout_seconds: 12 },
    )
    const late = await green.ship(2)
    expect(late.result.until_green).toMatchObject({
      stopped: 'repair 1 made no commit: implementer_timeout',
      repairs: [{ error_class: 'implementer_timeout' }],
    })
    expect(read(late, 'repairs/1/implementer_output.txt')).toBe('begun\n')
    expect(green.at.sample.leftovers(late.result.run_id)).toEqual([])
    green.implementer(
      `writeFileSync('app.mjs', ''); console.error('out of ideas'); process.exit(7)`,
    )
    const failed = await green.ship(2)
    expect(failed.result.until_green?.repairs[0]).toMatchObject({
      error_class: 'implementer_failed',
      detail: expect.stringContaining('ended with 7: out of ideas') as string,
    })
    green.expectUntouched()
  })

  it('makes no commit of a folder that an implementer removed, made a link, or overfilled', async () => {
    green.breakIt()
    const cases = [
      ['rmSync(process.cwd(), { recursive: true })', 'removed the folder'],
      [
        'const at = process.cwd(); rmSync(at, { recursive: true }); ' +
          `execFileSync('ln', ['-s', ${JSON.stringify(green.at.sample.home)}, at], { cwd: '/' })`,
        'removed the folder',
      ],
      ["execFileSync('truncate', ['--size=300M', 'large.bin'])", 'bytes of changed files'],
    ] as const
    for (const [script, why] of cases) {
      green.implementer(`writeFileSync('app.mjs', ${JSON.stringify(right)})\n${script}`)
      const { result } = await green.ship(1)
      expect(result).toMatchObject({
        overall: 'FAIL',
        until_green: {
          stopped: 'repair 1 made no commit: implementer_failed',
          repairs: [{ commit: null, detail: expect.stringContaining(why) as string }],
        },
      })
      green.expectUntouched()
    }
  })

  it('pushes nothing when an implementer writes into the repository of the operator, whose work stays', async () => {
    green.breakIt()
    green.implementer(
      `writeFileSync('app.mjs', ${JSON.stringify(right)}); ` +
        `writeFileSync(${JSON.stringify(join(green.at.sample.repo, 'app.mjs'))}, 'meddled\\n')`,
    )
    const meddled = await green.ship(2)
    expect(meddled.result).toMatchObject({
      overall: 'FAIL',
      error_class: 'dirty_tree',
      step_failed: 'preflight',
      pushed_sha: null,
    })
    expect(readFileSync(join(green.at.sample.repo, 'app.mjs'), 'utf8')).toBe('meddled\n')
    expect([green.at.sample.remoteRefs(), green.at.sample.git('rev-parse', 'main')]).toEqual([
      green.before,
      green.head,
    ])
    green.at.sample.git('checkout', '--quiet', '--', 'app.mjs')

    green.implementer(
      `writeFileSync('app.mjs', ${JSON.stringify(right)}); ` +
        `execFileSync('git', ['-C', ${JSON.stringify(green.at.sample.repo)}, 'config', 'remote.origin.pushurl', ` +
        `'/elsewhere'])`,
    )
    expect((await green.ship(2)).result).toMatchObject({
      overall: 'FAIL',
      error_class: 'remote_moved',
      step_failed: 'preflight',
      pushed_sha: null,
    })
    green.at.sample.git('config', '--unset', 'remote.origin.pushurl')
    green.expectUntouched()
  })

  it('does not move the branch over work of the operator, or over a file that git ignores', async () => {
    green.breakIt()
    green.at.sample.write('report.xml', 'precious and ignored\n')
    green.implementer(
      `writeFileSync('app.mjs', ${JSON.stringify(right)}); writeFileSync('.gitignore', ''); ` +
        `writeFileSync('report.xml', 'of the repair\\n')`,
    )
    const { result } = await green.ship(1)
    expect(result).toMatchObject({
      overall: 'FAIL',
      error_class: 'fast_forward_refused',
      step_failed: 'fast_forward',
      pushed_sha: null,
    })
    expect(readFileSync(join(green.at.sample.repo, 'report.xml'), 'utf8')).toBe(
      'precious and ignored\n',
    )
    green.expectUntouched()

    // Somebody commits while the reviewer thinks.
    green.implementer(`writeFileSync('app.mjs', ${JSON.stringify(right)})`)
    let meanwhile = ''
    green.at.api.script((bindings, request) => {
      meanwhile = green.at.sample.commit('Meanwhile', { 'mine.txt': 'x\n' })
      return approve(bindings, request)
    })
    expect((await green.ship(1)).result).toMatchObject({
      overall: 'FAIL',
      error_class: 'head_moved',
      step_failed: 'fast_forward',
      pushed_sha: null,
    })
    expect([green.at.sample.git('rev-parse', 'main'), green.at.sample.remoteRefs()]).toEqual([
      meanwhile,
      green.before,
    ])
  })

  it('leaves nothing half-done when it is killed or cancelled in a repair', async () => {
    green.breakIt()
    const works = join(green.at.sample.home, 'works')
    green.implementer(`writeFileSync(${JSON.stringify(works)}, ''); setInterval(() => {}, 1000)`)
    const running = green.at.sample.start({}, ['--until-green', '1'])
    await until('the implementer works', () => existsSync(works))
    rmSync(works)
    running.child.kill('SIGKILL')
    await until('it is gone', () => running.child.signalCode !== null)
    green.expectUntouched()
    expect(members({ marker: `OPENCLAW_RUN_ID=${running.runId}` }).length).toBeGreaterThan(0)
    const next = green.at.sample.start({}, ['--until-green', '1'])
    await until('the implementer works again', () => existsSync(works))
    expect(
      green.at.sample
        .leftovers(running.runId)
        .filter((each) => each.includes(running.runId) || each.startsWith('process')),
    ).toEqual([])
    next.child.kill('SIGTERM')
    const { result } = await next.end()
    expect(result).toMatchObject({
      overall: 'FAIL',
      error_class: 'cancelled',
      step_failed: 'repair',
      next_auto_fix: 'start_again',
    })
    expect(green.at.sample.leftovers(result.run_id)).toEqual([])
    green.implementer(`writeFileSync('app.mjs', ${JSON.stringify(right)})`)
    expect((await green.ship(1)).result.overall).toBe('PASS')
  })
})

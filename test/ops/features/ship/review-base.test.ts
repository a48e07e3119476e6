import { chmodSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { activeShip } from '#ops/features/ship/state/ship-lock'
import { walkVerdicts } from '#ops/core/trust/review-chain'
import { reviewRef } from '#shared/verdict'
import { until } from '../../../support/ship-repo.ts'
import { expectStop } from '../../../support/ship-stop.ts'
import { approve } from '../../../support/responses-api.ts'
import { shipFixture } from '../../../support/ship-fixture.ts'

const at = shipFixture({
  prepare: ({ sample }) =>
    sample.commit('Second', { 'app.mjs': 'export const add = (a, b) => b + a\n' }),
})

describe('the base of a review', () => {
  const question = (target: string) => ({
    repo: at.sample.origin,
    target,
    baseline: at.sample.git('rev-list', '--max-parents=0', 'HEAD'),
    acceptedProviders: [{ id: 'loopback', base_url: at.api.base_url }],
  })

  it('is the newest proven ancestor, so the next ship reviews a commit that was pushed by hand', async () => {
    const first = await at.sample.ship()
    const reviewed = at.sample.git('rev-parse', 'HEAD')
    expect(first.result.overall).toBe('PASS')
    const byHand = at.sample.commit('By hand', { 'smuggled.txt': 'x\n' })
    at.sample.git('push', '--quiet', 'origin', 'main')
    expect(await walkVerdicts(question(byHand))).toMatchObject({ proven: false, commit: byHand })

    const head = at.sample.commit('On top', { 'third.txt': 'x\n' })
    let files: string[] = []
    at.api.script((bindings, request) => {
      files = bindings.files
      return approve(bindings, request)
    })
    const second = await at.sample.ship()
    expect(second.result).toMatchObject({ overall: 'PASS', since_sha: reviewed })
    expect(files.toSorted()).toEqual(['smuggled.txt', 'third.txt'])
    expect(await walkVerdicts(question(head))).toMatchObject({
      proven: true,
      chain: [{ head_sha: head }, { head_sha: reviewed }],
    })
  })

  it('lets a commit that is on main already be reviewed: its verdict is added, main stays', async () => {
    await at.sample.ship()
    const byHand = at.sample.commit('By hand', { 'smuggled.txt': 'x\n' })
    at.sample.git('push', '--quiet', 'origin', 'main')
    expect((await at.sample.ship()).result).toMatchObject({
      overall: 'PASS',
      git_head: byHand,
      pushed_sha: byHand,
    })
    expect(Object.keys(at.sample.remoteRefs())).toContain(reviewRef(byHand))
  })

  it('ignores a verdict planted in the clone, and one of a provider that is not accepted', async () => {
    await at.sample.ship()
    const reviewed = at.sample.git('rev-parse', 'HEAD')
    const planted = at.sample.commit('Planted', { 'planted.txt': 'x\n' })
    at.sample.git('fetch', '--quiet', 'origin', `${reviewRef(reviewed)}:${reviewRef(planted)}`)
    at.sample.commit('On top', { 'third.txt': 'x\n' })
    expect((await at.sample.ship()).result).toMatchObject({ overall: 'PASS', since_sha: reviewed })
    expect(
      await walkVerdicts({
        ...question(reviewed),
        acceptedProviders: [{ id: 'loopback', base_url: 'https://elsewhere.example/v1' }],
      }),
    ).toMatchObject({ proven: false, commit: reviewed })
  })

  it('excludes an untrusted verdict: its commit is not shipped again, and the refusal says why', async () => {
    await at.sample.ship()
    at.sample.settings({
      provider: 'other',
      providers: [
        {
          id: 'other',
          label: 'Other',
          base_url: 'https://elsewhere.example/v1',
          env_key: 'REVIEW_KEY',
          scripted: false,
        },
      ],
    })
    await expectStop(at.sample, {
      step: 'preflight',
      exit: 2,
      error_class: 'nothing_to_ship',
      fix: 'commit_changes',
      detail: `its reviewer loopback at ${at.api.base_url} is not accepted`,
    })
  })

  it('excludes a verdict that another key signed, so what it approved is reviewed again', async () => {
    const baseline = at.sample.git('rev-parse', 'origin/main')
    await at.sample.ship()
    for (const name of ['keys', 'ship_key.json'])
      rmSync(join(at.sample.home, name), { recursive: true })
    await expectStop(at.sample, {
      step: 'preflight',
      exit: 2,
      error_class: 'nothing_to_ship',
      fix: 'commit_changes',
      detail: 'its verdict is signed with a key that is not enrolled',
    })
    at.sample.commit('On top', { 'third.txt': 'x\n' })
    expect((await at.sample.ship()).result).toMatchObject({ overall: 'PASS', since_sha: baseline })
  })

  it('requires a key that nobody else can read, and never replaces it', async () => {
    await at.sample.ship()
    const file = join(at.sample.home, 'keys', 'ship_key.pem')
    const before = readFileSync(file, 'utf8')
    chmodSync(file, 0o644)
    at.sample.commit('On top', { 'third.txt': 'x\n' })
    await expectStop(at.sample, {
      step: 'preflight',
      exit: 1,
      error_class: 'config_invalid',
      fix: 'fix_configuration',
      detail: 'can be read by others',
    })
    expect(readFileSync(file, 'utf8')).toBe(before)
  })

  it('is found after a killed ship, whose processes and folders are removed', async () => {
    let asked = false
    at.api.script(() => {
      asked = true
      return 'hang'
    })
    const running = at.sample.start()
    await until('the reviewer to be asked', () => asked)
    expect(await activeShip(at.sample.repo)).toBe(running.runId)
    const closed = new Promise((resolve) => {
      running.child.once('exit', resolve)
    })
    running.child.kill('SIGKILL')
    await closed
    expect(await activeShip(at.sample.repo)).toBeNull()
    expect(at.sample.leftovers(running.runId)).not.toEqual([])
    at.api.script(approve)
    const { result } = await at.sample.ship()
    expect(result.overall).toBe('PASS')
    expect(at.sample.leftovers(running.runId)).toEqual([])
    expect(existsSync(join(running.dir, 'ship_result.json'))).toBe(false)
    expect(existsSync(join(running.dir, 'manifest.json')), 'what has no result is no proof').toBe(
      false,
    )
    expect(
      existsSync(join(at.sample.repo, 'artifacts', 'ship', result.run_id, 'manifest.json')),
    ).toBe(true)
  })
})

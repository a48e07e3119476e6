import { existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hostPeer, json } from '../../../support/host-peer.ts'
import { until } from '../../../support/operator-bench.ts'
import { operatorOfShips } from './operator-of-ships.ts'

describe('a repository before and after its ships', () => {
  const at = operatorOfShips()

  it('sets the next action as a separate commit before a ship, and only in a clean tree', async () => {
    const before = at.repo.commit('A change', { 'app.mjs': 'export const add = (a, b) => b + a\n' })
    at.repo.write('left.txt', 'x')
    expect(
      (await at.bench.refused('next.set', { text: 'Deploy it.', commit: true })).error_class,
    ).toBe('dirty_tree')
    rmSync(join(at.repo.repo, 'left.txt'))
    await at.bench.call('next.set', { text: 'Deploy it.', commit: true })
    expect([
      at.repo.git('rev-parse', 'HEAD^'),
      at.repo.git('show', '--name-only', '--format=%s', 'HEAD'),
    ]).toEqual([before, 'Next action: Deploy it.\n\ndocs/OPENCLAW_NEXT.md'])
    expect(at.repo.git('status', '--porcelain')).toBe('')
  })

  it('keeps the proof of a ship of a terminal until the host answers', async () => {
    const peer = await hostPeer('token')
    try {
      at.repo.commit('A change', { 'app.mjs': 'export const add = (a, b) => b + a\n' })
      const typed = await at.repo.ship()
      expect(typed.result.overall).toBe('PASS')
      const id = typed.result.run_id
      let answered = 0
      const first = Promise.withResolvers<void>()
      peer.answers.set(`PUT /api/ship/${id}`, (_asked, response) => {
        answered += 1
        if (answered === 1)
          json(response, 507, {
            ok: false,
            error_class: 'disk_full',
            detail: 'The disk of the host is full.',
            next_auto_fix: 'free_disk',
          })
        else
          void first.promise.then(() =>
            json(response, 200, {
              ok: true,
              run_id: id,
              stored: 'created',
              verification: 'unverified',
            }),
          )
      })
      expect((await at.bench.call('overview.get', {})).upload.queued).toBe(1)
      await peer.leave()
      await at.bench.call('settings.set_host', { name: 'aiops-1', url: peer.url, token: 'token' })
      expect((await at.bench.call('overview.get', {})).upload.queued).toBe(1)
      await peer.comeBack()
      await until(
        'the first answer is a full disk',
        async () =>
          (await at.bench.call('overview.get', {})).upload.detail ===
            'The disk of the host is full.' &&
          existsSync(join(at.repo.home, 'upload-queue', `${id}.json`)),
      )
      first.resolve()
      await until(
        'it is stored',
        async () => (await at.bench.call('overview.get', {})).upload.queued === 0,
      )
      expect(answered).toBe(2)
    } finally {
      await peer.leave()
    }
  })

  it('gives files of a ship and nothing else of the laptop', async () => {
    at.repo.commit('A change', { 'app.test.mjs': 'throw new Error("broken")\n' })
    const { result, dir } = await at.repo.ship()
    const run_id = result.run_id
    const place = { side: 'laptop', folder: 'ship', run_id } as const
    const { base64 } = await at.bench.call('proofs.file', { ...place, path: 'ship_result.json' })
    expect(Buffer.from(base64, 'base64').toString()).toContain(run_id)
    const listed = await at.bench.call('proofs.evidence', place)
    expect(listed.files.map(({ path }) => path)).toContain('ship_result.json')
    symlinkSync(join(at.repo.home, 'settings.json'), join(dir, 'link.json'))
    for (const path of [
      '../../../openclaw.config.json',
      'link.json',
      '/etc/passwd',
      '.reserve',
      'tests.log/',
    ])
      expect(await at.bench.refused('proofs.file', { ...place, path })).toMatchObject({
        error_class: 'not_found',
      })
    expect(
      await at.bench.refused('ship.get', { run_id: '20260101T000000Z-00000000' }),
    ).toMatchObject({
      error_class: 'not_found',
    })
  })

  it('shows on the button why nothing can be shipped', async () => {
    const blocked = async (why: string): Promise<unknown> =>
      until(
        why,
        async () => (await at.bench.call('overview.get', {})).repository?.ship_blocked === why,
      )
    at.repo.write('app.mjs', 'changed')
    await blocked('1 file is not committed: app.mjs.')
    at.repo.commit('Commit it')
    at.repo.git('checkout', '--quiet', '-b', 'side')
    await blocked('The branch is side; only main is shipped.')
  })

  it('sets the one next action and commits nothing', async () => {
    const head = at.repo.git('rev-parse', 'HEAD')
    await at.bench.call('next.set', { text: 'Write the second sample.' })
    expect(readFileSync(join(at.repo.repo, 'docs/OPENCLAW_NEXT.md'), 'utf8')).toContain(
      '- Write the second sample.',
    )
    expect(at.repo.git('rev-parse', 'HEAD')).toBe(head)
    expect((await at.bench.refused('next.set', { text: '   ' })).message).toContain('text')
  })

  it('refuses a folder that is not a repository, and a provider that is not accepted', async () => {
    expect(
      (await at.bench.refused('settings.set_repository', { path: at.repo.temp })).error_class,
    ).toBe('not_a_repository')
    expect(
      (await at.bench.refused('settings.set_repository', { path: join(at.repo.temp, 'missing') }))
        .error_class,
    ).toBe('not_a_repository')
    expect(
      (
        await at.bench.refused('settings.set_repository', {
          path: join(at.repo.repo, 'openclaw.config.json'),
        })
      ).error_class,
    ).toBe('not_a_repository')
    expect(
      (await at.bench.refused('settings.set_review', { provider: 'nobody', model: 'm' }))
        .error_class,
    ).toBe('review_provider_refused')
    const { repository, review } = await at.bench.call('settings.set_review', {
      provider: 'loopback',
      model: 'other-model',
    })
    expect([repository, review.model, review.providers[0]?.credential]).toEqual([
      at.repo.repo,
      'other-model',
      'present',
    ])
  })
})

import { describe, expect, test } from 'vitest'
import type { Overview } from '#shared/bridge'
import type { Pin } from '#shared/result'
import { shown } from '../../support/browser.ts'
import { leave, rendererInBrowser } from './support/pages.ts'
import { ago, before, head, idAt } from './support/documents.ts'
import { overview, run, scene, status, type Scene } from './support/scenes.ts'
import { callsOf } from './support/scripted-transport.ts'
import { offline } from './support/deploy-stories.ts'

const hq = rendererInBrowser()

const started = '20261122T231502Z-8f3a9c1e'
const newer = 'f'.repeat(40)
const rollback = idAt(900, '0b0b0b0b')

/**
 * `head` was deployed and rolled back from; `before` serves. @param remote what origin/main is as far as the laptop
 * knows
 */
function pinned(remote: string = head, over: Partial<Overview> = {}): Scene {
  const typical = status()
  if (!typical.state) throw new Error('the typical status has a state')
  const pin: Pin = { sha: before, from_sha: head, run_id: rollback, since: ago(840) }
  const known = overview({
    status: { ...typical, state: { ...typical.state, pin, rollback_to: null } },
  })
  if (!known.repository) throw new Error('the typical overview has a repository')
  return scene({
    'overview.get': {
      ...known,
      repository: { ...known.repository, head: remote, remote },
      ...over,
    },
    'host.exec': { run_id: started, joined: false },
  })
}
const cardOf = (page: Awaited<ReturnType<typeof hq.open>>['page']) =>
  page.getByRole('region', { name: 'Pinned by a rollback' })
const execs = async (page: Awaited<ReturnType<typeof hq.open>>['page']) =>
  (await callsOf(page)).filter(({ name }) => name === 'host.exec')

describe('a host that is pinned by a rollback', () => {
  test('says so on Overview and Deploy: to which commit, since which run, and what it prevents', async () => {
    for (const path of ['/', '/deploy']) {
      const { page, complaints } = await hq.open(pinned(), { path })
      const card = cardOf(page)
      await shown(card).toContainText(`aiops-1 is pinned to ${before.slice(0, 12)}`)
      await shown(card).toContainText(
        `Since rollback ${rollback.slice(-8)}, 14 m ago. Deploys do not bring ${head.slice(0, 12)}, ` +
          'which was rolled back from, until another commit is on origin/main.',
      )
      await shown(page.getByRole('heading', { level: 1 })).toHaveText(
        `${head.slice(0, 12)} was rolled back`,
      )
      await card.getByRole('link', { name: rollback.slice(-8) }).click()
      await shown(page).toHaveURL(new RegExp(`#/runs/${rollback}$`))
      expect(complaints).toEqual([])
      await leave(page)
    }
  })

  test('does not offer a deploy that would be refused: not on the button, in the palette or as next step', async () => {
    const { page } = await hq.open(pinned())
    const button = page.getByRole('button', { name: 'Deploy+Verify: pinned by a rollback' })
    await shown(button).toHaveAccessibleDescription(
      /press Deploy the newest again on the Deploy page/,
    )
    await button.click({ force: true })
    await shown(page.locator('.button-main')).toHaveCount(0)
    await page.keyboard.press('Control+k')
    await page.keyboard.type('deploy+verify')
    await shown(
      page.getByRole('menuitem', { name: 'Deploy+Verify: pinned by a rollback' }),
    ).toBeVisible()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    expect(await execs(page)).toEqual([])
    await leave(page)
  })

  test('deploys the newest again after a confirmation, by keyboard alone', async () => {
    const { page } = await hq.open(pinned(), { path: '/deploy' })
    const button = cardOf(page).getByRole('button', { name: 'Deploy the newest again' })
    await button.press('Enter')
    const dialog = page.getByRole('alertdialog', { name: `Deploy ${head.slice(0, 12)} again?` })
    await shown(dialog).toBeVisible()
    await page.keyboard.press('Escape')
    await shown(dialog).toHaveCount(0)
    await shown(button).toBeFocused()
    expect(await execs(page)).toEqual([])
    await button.press('Enter')
    await dialog.getByRole('button', { name: 'Deploy the newest' }).press('Enter')
    await shown(page).toHaveURL(new RegExp(`#/runs/${started}$`))
    expect(await execs(page)).toEqual([
      { name: 'host.exec', input: { action: 'deploy_and_verify', params: { unpin: true } } },
    ])
    await leave(page)
  })

  test('ends by itself once another commit is on origin/main: offers the deploy, and the card says why', async () => {
    const { page } = await hq.open(pinned(newer), { path: '/deploy' })
    await shown(cardOf(page)).toContainText('the next deploy ends the pin')
    await shown(cardOf(page).getByRole('button')).toHaveCount(0)
    await page.getByRole('button', { name: 'Deploy+Verify', exact: true }).click()
    await shown(page).toHaveURL(new RegExp(`#/runs/${started}$`))
    expect(await execs(page)).toEqual([
      { name: 'host.exec', input: { action: 'deploy_and_verify' } },
    ])
    await leave(page)
  })

  test('that is unreachable keeps its pin in view, and its button says why it cannot be pressed', async () => {
    const { connection } = offline().answers['overview.get'] as Overview
    const { page } = await hq.open(
      pinned(head, {
        connection: {
          ...connection,
          detail: 'aiops-1 cannot be reached: it does not answer.',
        },
      }),
      { path: '/deploy' },
    )
    const button = cardOf(page).getByRole('button', { name: 'Deploy the newest again' })
    await shown(button).toHaveAccessibleDescription(
      'aiops-1 cannot be reached: it does not answer.',
    )
    await button.click({ force: true })
    await shown(page.getByRole('alertdialog')).toHaveCount(0)
    await leave(page)
  })

  test('a running rollback is shown as one, with the commit it goes to', async () => {
    const typical = status()
    const active = run({
      run_id: rollback,
      action: 'rollback',
      params: { to: before },
      status: 'running',
      finished_at: null,
    })
    for (const path of ['/', '/deploy']) {
      const { page } = await hq.open(
        scene(
          {
            'overview.get': overview({
              status: {
                ...typical,
                host: { ...typical.host, serving: head },
                active_runs: [active],
              },
            }),
          },
          { live: [rollback] },
        ),
        { path },
      )
      await shown(page.getByRole('heading', { level: 1 })).toHaveText(
        `Rolling back to ${before.slice(0, 12)}`,
      )
      await leave(page)
    }
  })
})

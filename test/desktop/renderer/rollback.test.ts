import { describe, expect, test } from 'vitest'
import { shown } from '../../support/browser.ts'
import { leave, rendererInBrowser } from './support/pages.ts'
import { before, head } from './support/documents.ts'
import { overview, scene, status } from './support/scenes.ts'
import { callsOf } from './support/scripted-transport.ts'

const hq = rendererInBrowser()

const runId = '20261122T231502Z-8f3a9c1e'
const story = (rollbackTo: string | null) => {
  const typical = status()
  if (!typical.state) throw new Error('the typical status has a state')
  return scene({
    'overview.get': overview({
      status: {
        ...typical,
        host: { ...typical.host, serving: head },
        state: {
          ...typical.state,
          last_verified_head: head,
          target_sha: head,
          rollback_to: rollbackTo,
        },
      },
    }),
    'host.exec': { run_id: runId, joined: false },
  })
}

describe('Roll back on the Deploy page', () => {
  test('requires a confirmation, names the commit, and starts a rollback to exactly that one', async () => {
    const { page } = await hq.open(story(before), { path: '/deploy' })
    await page.getByRole('button', { name: 'Roll back', exact: true }).click()
    const dialog = page.getByRole('alertdialog', { name: `Roll back to ${before.slice(0, 12)}?` })
    await dialog.getByRole('button', { name: `Keep ${head.slice(0, 12)}` }).click()
    await shown(dialog).toHaveCount(0)
    expect((await callsOf(page)).filter(({ name }) => name === 'host.exec')).toEqual([])
    await page.getByRole('button', { name: 'Roll back', exact: true }).click()
    await dialog.getByRole('button', { name: 'Roll back', exact: true }).click()
    await shown(page).toHaveURL(new RegExp(`#/runs/${runId}$`))
    await expect
      .poll(async () => (await callsOf(page)).filter(({ name }) => name === 'host.exec'))
      .toEqual([{ name: 'host.exec', input: { action: 'rollback', params: { to: before } } }])
    await leave(page)
  })

  test('is not offered while there is no earlier green commit', async () => {
    const { page } = await hq.open(story(null), { path: '/deploy' })
    await shown(page.getByRole('heading', { level: 1 })).toBeVisible()
    await shown(page.getByRole('button', { name: 'Roll back', exact: true })).toHaveCount(0)
    await leave(page)
  })
})

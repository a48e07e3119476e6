import { describe, expect, test } from 'vitest'
import { diagnosisText } from '#shared/state/diagnosis'
import { shown } from '../../support/browser.ts'
import { diagnosed, hosts } from './support/host-stories.ts'
import { leave, rendererInBrowser } from './support/pages.ts'
import { change, callsOf } from './support/scripted-transport.ts'

const hq = rendererInBrowser()

const url = 'https://aiops-1.tail1.ts.net'

describe('the hosts', () => {
  test('stand in one table, with the machines that could become one', async () => {
    const { page, complaints } = await hq.open(hosts(null), { path: '/hosts' })
    await shown(page.getByRole('heading', { level: 1 })).toHaveText('3 of 3 hosts answer')
    const rows = page.getByRole('table', { name: 'Hosts' }).getByRole('row')
    await shown(rows).toHaveCount(4)
    await shown(rows.nth(1)).toContainText(/aiops-1.*Direct.*12 ms.*in 151 d.*selected/)
    await shown(rows.nth(2)).toContainText(/edge-3.*Relayed, fra.*148 ms/)
    await page.getByRole('button', { name: 'Select build-2' }).click()
    expect(await callsOf(page)).toContainEqual({
      name: 'hosts.select',
      input: { url: 'https://build-2.tail1.ts.net' },
    })
    await page.getByRole('button', { name: 'Remove build-2' }).click()
    const dialog = page.getByRole('alertdialog', { name: 'Remove build-2 from HQ' })
    await dialog.getByRole('button', { name: 'Remove' }).click()
    expect((await callsOf(page)).filter(({ name }) => name === 'hosts.remove')).toHaveLength(1)
    await page.getByRole('button', { name: 'Add as a host: staging-4' }).click()
    const form = page.getByRole('region', { name: 'Add a host' })
    await shown(form.getByLabel('Address')).toHaveValue('https://staging-4.tail1.ts.net')
    await shown(form.getByRole('button', { name: 'Add host' })).toHaveAttribute(
      'aria-disabled',
      'true',
    )
    expect(complaints).toEqual([])
    await leave(page)
  })

  test('agree everywhere on what is wrong with one, and are back by themselves', async () => {
    const scene = hosts('host_key_expired')
    const { title, text, remedy } = diagnosisText(diagnosed('host_key_expired'), 'aiops-1')
    const { page } = await hq.open(scene)
    const card = page.getByRole('region', { name: 'Diagnosis of aiops-1' })
    const entry = page.getByRole('link', { name: 'Hosts, 1 unreachable' })
    for (const path of ['/', '/hosts']) {
      await page.goto(`${hq.url}#${path}`)
      await shown(card.getByRole('heading')).toHaveText(title)
      await shown(card).toContainText(text)
      await shown(
        card.getByRole('listitem').filter({ hasText: 'Its key is not valid any more' }),
      ).toHaveClass('fail')
      await shown(card.getByRole('button', { name: remedy.label })).toBeVisible()
      await shown(entry).toBeVisible()
      await shown(page.getByRole('button', { name: /^Host aiops-1, unreachable/ })).toBeVisible()
    }
    await card.getByRole('button', { name: remedy.label }).click()
    expect(await callsOf(page)).toContainEqual({
      name: 'hosts.remedy',
      input: { url, kind: 'open_page' },
    })
    await change(page, { answers: hosts(null).answers })
    await shown(card).toHaveCount(0)
    await shown(page.getByRole('button', { name: 'Host aiops-1, direct · 12 ms' })).toBeVisible()
    await leave(page)
  })

  test('that changed are compared before anything is sent to them', async () => {
    const { page } = await hq.open(hosts('identity_changed'), { path: '/hosts' })
    await page.getByRole('button', { name: 'Compare and agree' }).click()
    const dialog = page.getByRole('alertdialog')
    await shown(dialog).toContainText('nodekey:old')
    await shown(dialog).toContainText('nodekey:a1')
    expect((await callsOf(page)).filter(({ name }) => name === 'hosts.agree')).toEqual([])
    await dialog.getByRole('button', { name: 'Agree' }).click()
    expect(await callsOf(page)).toContainEqual({
      name: 'hosts.agree',
      input: { url, node_key: 'nodekey:a1', tls_name: 'aiops-1.tail1.ts.net' },
    })
    await leave(page)
  })
})

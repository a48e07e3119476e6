import { describe, expect, test } from 'vitest'
import { actionIds, actionOf } from '#shared/actions'
import type { Overview } from '#shared/bridge'
import type { Run } from '#shared/run'
import { shown } from '../../support/browser.ts'
import { leave, rendererInBrowser } from './support/pages.ts'
import { ago, before, deployResult, head, idAt, shipResult } from './support/documents.ts'
import { overview, run, scene } from './support/scenes.ts'
import { rows } from '../../shared/state/rows.ts'
import { paletteAgrees, showsOneTruth } from './support/screen.ts'
import { callsOf, change, script } from './support/scripted-transport.ts'
import { buildFailed, deploying, done, offline } from './support/deploy-stories.ts'
import { reviewBlocked, reviewUnavailable, scripted } from './support/ship-stories.ts'

const hq = rendererInBrowser()

describe('the overview', () => {
  test('says DONE, and each of the six gates passes', async () => {
    const { page, complaints } = await hq.open(done())
    await shown(page.getByRole('heading', { level: 1 })).toHaveText(
      '4c1e9b7e02f1 is DONE, with proof',
    )
    const gates = page
      .getByRole('list', { name: 'Definition of Done, six gates' })
      .getByRole('listitem')
    expect(
      await gates.evaluateAll((items) => items.map((item) => item.getAttribute('aria-label'))),
    ).toEqual([
      'Tests: Pass',
      'Review: Pass',
      'Pushed: Pass',
      'Deployed: Pass',
      'Verified: Pass',
      'Proof: Pass',
    ])
    await shown(page.getByText('Pass, unverified')).toBeVisible()
    expect(complaints).toEqual([])
    await leave(page)
  })

  test('names the class of a blocked gate, what is untouched and what is needed', async () => {
    const { page } = await hq.open(reviewUnavailable())
    await shown(
      page.getByRole('listitem', { name: 'Review: Blocked review_unavailable' }),
    ).toBeVisible()
    await shown(page.getByRole('heading', { level: 1 })).toContainText(
      'The review could not take place',
    )
    await shown(
      page.getByText(
        'Nothing was pushed: origin/main is still 9d02a51c8e7f. Sign Codex in on this laptop',
      ),
    ).toBeVisible()
    await leave(page)
  })

  test('shows a running deploy against its typical duration, and its button leads to it', async () => {
    const story = deploying()
    const { page } = await hq.open(story)
    await shown(page.getByRole('listitem', { name: 'Deployed: Running' })).toContainText(
      'of usually 2:54',
    )
    const card = page.getByRole('region', { name: 'Active run' })
    await shown(card).toContainText('step 4 of 9')
    await shown(card).toContainText('index-239.js')
    await shown(page.getByRole('button', { name: 'Deploy+Verify', exact: true })).toHaveCount(0)
    await page.getByRole('link', { name: /Deploying .*open it$/ }).click()
    await shown(page.getByRole('heading', { level: 1 })).toContainText('Deploy+Verify')
    expect(
      await callsOf(page).then((calls) => calls.filter(({ name }) => name === 'host.exec')),
    ).toEqual([])
    await leave(page)
  })

  test('keeps the last state of a silent host, and says from when it is', async () => {
    const { page } = await hq.open(offline())
    await shown(page.getByRole('heading', { level: 1 })).toHaveText('aiops-1 is unreachable')
    await shown(page.getByText(/aiops-1, as of \d\d:\d\d:\d\d/)).toBeVisible()
    await shown(page.getByRole('listitem', { name: 'Verified: Pass' })).toBeVisible()
    await shown(page.getByRole('region', { name: 'Doctor' })).toContainText(/as of \d\d:\d\d:\d\d/)
    const deploy = page.getByRole('button', { name: 'Deploy+Verify: unreachable' })
    await deploy.focus()
    await shown(deploy).toBeFocused()
    await leave(page)
  })

  test('keeps what it had when HQ itself stops answering, and comes back by itself', async () => {
    const { page } = await hq.open(done())
    await shown(page.getByRole('listitem', { name: 'Proof: Pass' })).toBeVisible()
    const away = {
      error_class: 'hostd_unreachable' as const,
      message: 'HQ on this machine does not answer.',
      next_auto_fix: 'retry_when_reachable' as const,
    }
    await change(page, { problems: { 'overview.get': away } })
    await shown(page.getByText(/HQ does not answer for/)).toBeVisible()
    await shown(page.getByRole('listitem', { name: 'Proof: Pass' })).toBeVisible()
    await shown(page.getByRole('button', { name: 'Deploy+Verify: unreachable' })).toBeVisible()
    await change(page, { problems: {} })
    await shown(page.getByText(/HQ does not answer for/)).toBeHidden()
    await leave(page)
  })

  test('labels a scripted verdict wherever it shows', async () => {
    const { page } = await hq.open(scripted())
    await shown(page.getByRole('list', { name: 'Definition of Done, six gates' })).toContainText(
      'scripted (demo)',
    )
    await shown(page.getByRole('region', { name: 'Last results' })).toContainText('scripted (demo)')
    await shown(page.getByRole('note')).toContainText('scripted (demo)')
    await page.getByRole('link', { name: 'Ship', exact: true }).click()
    await shown(page.getByRole('list', { name: 'Ship, five steps' })).toContainText(
      'scripted (demo)',
    )
    await shown(page.getByRole('region', { name: 'Verdict' })).toContainText('scripted (demo)')
    await leave(page)
  })

  test('says why maintenance stays on after a failure', async () => {
    const { page } = await hq.open(buildFailed())
    await shown(page.getByText(/Maintenance on for [5-9] m \d\d s\./)).toBeVisible()
    await shown(
      page.getByText('Left on by a deploy that failed. It ends with the next green deploy.'),
    ).toBeVisible()
    await leave(page)
  })

  test('an answer in an unexpected format is refused with a message, not shown', async () => {
    const context = await hq.browser.newContext()
    const page = await context.newPage()
    const story = done()
    story.answers['overview.get'] = {
      ...(story.answers['overview.get'] as object),
      change: { commit: 'not a commit' },
    }
    await script(page, story)
    await page.goto(hq.url)
    await shown(page.getByRole('alert')).toContainText(
      'The answer to overview.get has an unexpected format',
    )
    await context.close()
  })
})

describe('one truth', () => {
  test('U2 U4 U7 U8: headline, gates, navigation, buttons, next action and palette agree', async () => {
    const { page, complaints } = await hq.open(done())
    const facts = [
      'U2: a byte of the deploy proof differs',
      'U2: the result of the deploy cannot be read',
      'U2: both copies of the ship proof differ',
      'U3: a deploy of the first while the second is shipped',
      'U4: rolled back, then the newest again, cancelled after its switch',
      'shipped, and a person holds maintenance',
      'the review said no',
      'deployed and green',
    ]
    for (const each of facts) {
      const row = rows.find((known) => known.facts === each)
      if (row === undefined) throw new Error(`no row ${each}`)
      await paletteAgrees(page, await showsOneTruth(page, row.build().overview))
    }
    expect(complaints).toEqual([])
    await leave(page)
  })
})

describe('what several places show', () => {
  test('U5: a failure that a later deploy has made past says by which one, and needs nobody', async () => {
    const story = buildFailed()
    const { page } = await hq.open(story, { path: `/runs/${story.runId}` })
    const why = page.getByRole('region', { name: 'Why red' })
    await shown(why).toContainText('Needs you:')
    const known = story.answers['overview.get'] as Overview
    const later = run({ run_id: idAt(60, 'ab12cd34'), finished_at: ago(30) })
    const { status } = known
    await change(page, {
      answers: {
        'overview.get': {
          ...known,
          status: status && { ...status, recent_deploys: [later, ...status.recent_deploys] },
        },
      },
    })
    await shown(why).toContainText(/Superseded by ab12cd34, which passed (30|3\d) s ago\./)
    await shown(why).not.toContainText('Needs you')
    await why.getByRole('link', { name: 'ab12cd34' }).click()
    await shown(page).toHaveURL(new RegExp(`#/runs/${later.run_id}$`))
    await leave(page)
  })

  test('U9: duration, proof and scripted mark of a deploy are the same in every place', async () => {
    const story = done()
    const known = story.answers['overview.get'] as Overview
    const [newest, older] = known.status?.recent_deploys ?? []
    if (newest === undefined || older === undefined) throw new Error('no deploys')
    story.answers['host.runs'] = { ok: true, runs: [newest, older], next_cursor: null }
    const broughtBy = (target_sha: string, of: Run): object => ({
      ok: true,
      run: { ...of, result: deployResult({ run_id: of.run_id, target_sha }) },
    })
    const key = ({ run_id }: Run): string => `host.run ${JSON.stringify({ run_id })}`
    story.answers[key(newest)] = broughtBy(head, newest)
    story.answers[key(older)] = broughtBy(before, older)
    const scriptedShip = shipResult({
      run_id: idAt(20_000, '5c217fed'),
      git_head: before,
      scripted_review: true,
    })
    story.answers['ship.list'] = {
      ships: [{ run_id: scriptedShip.run_id, active: false, step: null, result: scriptedShip }],
    }
    // The result begins later than the run: every place counts from the start of the run.
    const last = known.status?.last_deploy
    if (last?.ok === true && last.result !== null)
      Object.assign(last.result, { started_at: ago(340) })
    const { page, complaints } = await hq.open(story)
    const length = '3 m 57 s'
    const results = page.getByRole('region', { name: 'Last results' })
    await shown(results.getByRole('row', { name: /^Deploy/ })).toContainText(length)
    await shown(page.getByText('No run has ended yet')).toHaveCount(0)
    const bar = page.getByRole('link', { name: new RegExp(`run ${newest.run_id}$`) })
    await shown(bar).toHaveAccessibleName(`Pass, ${length}, run ${newest.run_id}`)
    await page.getByRole('link', { name: 'Deploy', exact: true }).first().click()
    const recent = page.getByRole('region', { name: 'Recent deploys' })
    await shown(recent.getByRole('row').first()).toContainText(length)
    await page.getByRole('link', { name: 'Runs', exact: true }).click()
    const list = page.getByRole('table', { name: 'Runs' }).getByRole('row')
    await shown(list.nth(1)).toContainText(length)
    await shown(list.nth(1)).not.toContainText('scripted (demo)')
    await shown(list.nth(2)).toContainText('scripted (demo)')

    // The proof of the newest breaks: nothing calls that deploy green any more.
    const bundle = known.status?.bundles.deploy ?? null
    const broken = { ...bundle, verification: 'broken' }
    const status = { ...known.status, bundles: { ...known.status?.bundles, deploy: broken } }
    await change(page, { answers: { 'overview.get': { ...known, status } } })
    await shown(list.nth(1)).toContainText('Broken proof')
    await page.getByRole('link', { name: /^Deploy,/ }).click()
    await shown(recent.getByRole('row').first()).toContainText('Broken proof')
    await shown(bar).toHaveAccessibleName(`Broken proof, ${length}, run ${newest.run_id}`)
    await shown(page.getByRole('region', { name: 'Deploy history' })).toContainText(
      '1 with a broken proof',
    )
    expect(complaints).toEqual([])
    await leave(page)
  })
})

describe('the two buttons', () => {
  test('a blocked Ship carries its reason, keeps the focus and starts nothing', async () => {
    const { page } = await hq.open(reviewBlocked())
    const ship = page.getByRole('button', { name: 'Ship: 1 file is not committed' })
    await ship.focus()
    await shown(ship).toBeFocused()
    await shown(ship).toHaveAttribute('aria-disabled', 'true')
    await page.keyboard.press('Enter')
    await ship.click({ force: true })
    expect((await callsOf(page)).filter(({ name }) => name === 'ship.start')).toEqual([])
    await leave(page)
  })

  test('Ship and Deploy+Verify start once each and lead to what they started', async () => {
    const story = reviewUnavailable()
    const failed = buildFailed()
    story.answers = {
      ...story.answers,
      ...failed.answers,
      'overview.get': story.answers['overview.get'],
      'ship.start': { run_id: '20261122T231502Z-8f3a9c1e', joined: false },
      'host.exec': { run_id: failed.runId, joined: true },
    }
    const { page } = await hq.open(story)
    await page.getByRole('button', { name: /^Ship/ }).first().click()
    await shown(page).toHaveURL(/#\/ship\/20261122T231502Z-8f3a9c1e$/)
    await page.getByRole('button', { name: 'Deploy+Verify', exact: true }).click()
    await shown(page).toHaveURL(new RegExp(`#/runs/${failed.runId}$`))
    await expect
      .poll(async () =>
        (await callsOf(page)).filter(({ name }) => name === 'ship.start' || name === 'host.exec'),
      )
      .toEqual([
        { name: 'ship.start', input: {} },
        { name: 'host.exec', input: { action: 'deploy_and_verify' } },
      ])
    await leave(page)
  })

  test('what did not start shows its class, and at most one button is filled', async () => {
    const story = scene(
      { 'overview.get': overview() },
      {
        problems: {
          'host.exec': {
            error_class: 'MAINTENANCE_MODE',
            message: 'A deploy holds maintenance mode.',
            next_auto_fix: 'wait_for_deploy',
          },
        },
      },
    )
    const { page } = await hq.open(story)
    await shown(page.locator('.button-main')).toHaveCount(1)
    await page.getByRole('button', { name: 'Deploy+Verify', exact: true }).click()
    await shown(page.getByRole('alert')).toContainText('MAINTENANCE_MODE')
    await page.getByRole('button', { name: 'Dismiss' }).click()
    await shown(page.getByRole('alert')).toHaveCount(0)
    await leave(page)
  })
})

describe('the ship page', () => {
  test('shows the findings beside the lines they are about, and that nothing was pushed', async () => {
    const { page, complaints } = await hq.open(reviewBlocked(), { path: '/ship' })
    await shown(
      page.getByRole('listitem', { name: 'Review: Blocked review_blocked' }),
    ).toBeVisible()
    await shown(page.getByRole('region', { name: 'Why red' })).toContainText(
      'Nothing was pushed: origin/main is still 9d02a51c8e7f.',
    )
    const finding = page.getByRole('article', {
      name: 'Blocking finding: A sibling folder passes this check',
    })
    await shown(finding).toContainText('blocking, hostd/routes/artifacts.ts:40')
    expect(await finding.evaluate((box) => box.previousElementSibling?.textContent)).toBe(
      '40+  if (!abs.startsWith(root)) throw new AppError(OUTSIDE)',
    )
    await page.getByRole('button', { name: 'shared/errors.ts +1 −0' }).click()
    await shown(page.getByRole('region', { name: 'Changes of shared/errors.ts' })).toContainText(
      'too_large: { http: 413 }',
    )
    await page.getByRole('tab', { name: 'Log' }).click()
    await shown(page.getByRole('log')).toContainText('review_unavailable: Codex answered 401')
    expect(complaints).toEqual([])
    await leave(page)
  })
})

describe('the palette', () => {
  test('offers every action that changes nothing to confirm and takes no text', async () => {
    const { page } = await hq.open(done())
    await page.keyboard.press('Control+k')
    const offered = page.getByRole('group', { name: 'Actions' }).getByRole('menuitem')
    const buttons = actionIds
      .map(actionOf)
      .filter(
        ({ destructive, forAgents, params }) =>
          !destructive && forAgents !== true && params.safeParse({}).success,
      )
      .map(({ button }) => button)
    expect(buttons).toContain('Run Phase 0')
    expect(buttons).not.toContain('Roll back')
    const texts = await offered.evaluateAll((items) =>
      items.map((item) => item.getAttribute('aria-label') ?? item.textContent),
    )
    for (const button of buttons)
      expect(
        texts.filter((text) => text?.includes(button)),
        button,
      ).not.toEqual([])
    expect(texts.length).toBe(buttons.length + 1) // and Ship
    await leave(page)
  })

  test('opens, finds and goes by keyboard alone', async () => {
    const { page } = await hq.open(buildFailed())
    await page.keyboard.press('Control+k')
    const field = page.getByRole('searchbox', { name: 'Search or run' })
    await shown(field).toBeFocused()
    await page.keyboard.type('doctor & p')
    await shown(page.getByRole('menuitem')).toHaveCount(1)
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await shown(page.getByRole('heading', { level: 1 })).toHaveText('The checks passed before')
    await shown(field).toBeHidden()
    await page.keyboard.press('Control+k')
    await page.keyboard.type('what is typed goes with it')
    await page.keyboard.press('Escape')
    await shown(page.getByRole('dialog')).toHaveCount(0)
    await leave(page)
  })

  test('a blocked action says why and does nothing', async () => {
    const { page } = await hq.open(offline())
    await page.keyboard.press('Control+k')
    await page.keyboard.type('run doctor')
    await shown(page.getByRole('menuitem', { name: 'Run doctor: unreachable' })).toBeVisible()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    expect((await callsOf(page)).filter(({ name }) => name === 'host.exec')).toEqual([])
    await leave(page)
  })
})

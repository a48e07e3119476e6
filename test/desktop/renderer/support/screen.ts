import type { Page } from 'playwright'
import { expect } from 'vitest'
import type { Overview } from '#shared/bridge'
import type { Gate } from '#shared/state/gates'
import { stateOf, type State } from '#shared/state/state'
import { gateTitles, ofGate } from '../../../../desktop/renderer/text/status.ts'
import { change } from './scripted-transport.ts'

/** What a person sees of one state, in every place that shows some of it. */
interface Screen {
  readonly headline: string
  readonly gates: readonly string[]
  readonly navigation: readonly string[]
  readonly ship: string
  readonly deploy: string
  readonly next: string
  readonly nextBlocked: boolean
  readonly filled: number
  readonly stands: readonly string[]
}

const wordOf = (gate: Gate): string =>
  `${gateTitles[gate.name]}: ${ofGate(gate.state, gate.detail).word}`

/** What each place must show of a state. */
function expectedOf({ headline, change: { gates }, marks, buttons, next, stands }: State): Screen {
  const pages = [
    ['Overview', marks.overview],
    ['Ship', marks.ship],
    ['Deploy', marks.deploy],
    ['Runs', marks.runs],
    ['Proofs', marks.proofs],
    ['Doctor & ports', marks.doctor],
    ['Connectors', marks.connectors],
    ['Hosts', marks.hosts],
    ['Settings', null],
  ] as const
  return {
    headline: headline.title,
    gates: gates.map(wordOf),
    navigation: pages.map(([page, mark]) => (mark === null ? page : `${page}, ${mark.text}`)),
    ship: buttons.ship.state === 'blocked' ? `blocked ${buttons.ship.short}` : buttons.ship.state,
    deploy:
      buttons.deploy.state === 'blocked' ? `blocked ${buttons.deploy.short}` : buttons.deploy.state,
    next: next.title,
    nextBlocked: next.button !== null && next.button.press.state !== 'ready',
    filled: next.button?.filled === true ? 1 : 0,
    stands: stands.map(({ text, error_class }) => `${text} ${error_class ?? ''}`.trim()),
  }
}

/** Runs in the page. */
const readScreen = `(() => {
  const text = (element) => (element?.textContent ?? '').trim()
  const label = (element) => element.getAttribute('aria-label') ?? text(element)
  const heading = document.querySelector('h1').cloneNode(true)
  heading.querySelectorAll('code').forEach((code) => code.remove())
  const gates = [...document.querySelectorAll('[aria-label="Definition of Done, six gates"] > li')]
  const pressed = (name) => {
    const found = [...document.querySelectorAll('header a, header button')].find((each) => label(each).startsWith(name))
    if (found === undefined) return 'missing'
    if (found.tagName === 'A') return 'running'
    return found.getAttribute('aria-disabled') === 'true' ? 'blocked ' + text(found).slice(name.length + 2) : 'ready'
  }
  const card = document.querySelector('[aria-label="Next action"]')
  return {
    headline: text(heading),
    gates: gates.map((gate) => label(gate)),
    navigation: [...document.querySelectorAll('nav[aria-label="Main"] a')].map(label),
    ship: pressed('Ship'),
    deploy: pressed('Deploy+Verify') === 'missing' ? pressed('Roll back') : pressed('Deploy+Verify'),
    next: text(card.querySelector('b')),
    nextBlocked: card.querySelector('[aria-disabled=true]') !== null,
    filled: document.querySelectorAll('.button-main').length,
    stands: [...document.querySelectorAll('[aria-label="Where things stand"] li > span:first-of-type')].map(text),
  }
})()`

/** Gives the open page these facts, waits until it shows them, and compares every place with the one state. */
export async function showsOneTruth(page: Page, overview: Overview): Promise<State> {
  const state = stateOf({ overview, now: Date.now(), cut: false })
  const wanted = expectedOf(state)
  await change(page, { answers: { 'overview.get': overview } })
  await page.evaluate('window.dispatchEvent(new Event("focus"))')
  await expect
    .poll(async () => withoutReasons(await page.evaluate<Screen>(readScreen), wanted), {
      timeout: 15_000,
      interval: 50,
    })
    .toEqual(wanted)
  return state
}

/** The name of a gate for screen readers ends with why it stopped. */
const withoutReasons = (screen: Screen, wanted: Screen): Screen => ({
  ...screen,
  gates: screen.gates.map((gate, at) => {
    const word = wanted.gates[at] ?? gate
    return gate.startsWith(`${word} `) ? word : gate
  }),
})

/** The palette says the same of Ship and Deploy+Verify as their buttons. */
export async function paletteAgrees(page: Page, { buttons }: State): Promise<void> {
  await page.keyboard.press('Control+k')
  const items = page.getByRole('group', { name: 'Actions' }).getByRole('menuitem')
  await items.first().waitFor()
  const labels = await items.evaluateAll((all) =>
    all.map(
      (item) =>
        item.getAttribute('aria-label') ?? item.querySelector('.ellipsis')?.textContent ?? '',
    ),
  )
  for (const [name, press] of [
    ['Ship', buttons.ship],
    ['Deploy+Verify', buttons.deploy],
  ] as const) {
    const running = `${name}: follow the running one`
    const blocked = press.state === 'blocked' ? `${name}: ${press.short}` : name
    expect(labels).toContain(press.state === 'running' ? running : blocked)
  }
  await page.keyboard.press('Escape')
}

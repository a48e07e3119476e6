import type { Disposable, Page } from 'playwright'
import type { Scene } from './scenes.ts'

export interface Call {
  readonly name: string
  readonly input: unknown
}
interface Scripted {
  held: string[]
  scene: Scene
  calls: Call[]
  /** By procedure: the host that its last call carried. */
  shownHosts: Record<string, string | null>
  requests: { run_id: string; after: number }[]
  cut(run_id: string): void
  add(run_id: string, events: unknown[]): void
}

/**
 * Puts a transport in front of the page that answers from a scene, as the preload script would.
 * @returns what takes it away again, for the next time that the page is loaded
 */
export async function script(page: Page, scene: Scene): Promise<Disposable> {
  return await page.addInitScript((given: Scene) => {
    const open = new Map<string, Set<{ sent: number; push: () => void; cut: () => void }>>()
    const scripted: Scripted = {
      held: [],
      scene: given,
      calls: [],
      shownHosts: {},
      requests: [],
      cut: (run_id) => {
        for (const each of open.get(run_id) ?? []) each.cut()
      },
      add: (run_id, events) => {
        const known = scripted.scene.events[run_id] ?? []
        known.push(...events)
        scripted.scene.events[run_id] = known
        for (const each of open.get(run_id) ?? []) each.push()
      },
    }
    const call = async (name: string, input: unknown, host: string | null): Promise<unknown> => {
      scripted.calls.push({ name, input })
      scripted.shownHosts[name] = host
      while (scripted.held.includes(name))
        await new Promise((resolve) => {
          setTimeout(resolve, 20)
        })
      const { answers, problems } = scripted.scene
      const key = `${name} ${JSON.stringify(input)}`
      const problem = problems[key] ?? problems[name]
      if (problem) return { ok: false, problem }
      const value = answers[key] ?? answers[name]
      if (value === undefined)
        return {
          ok: false,
          problem: {
            error_class: 'not_found',
            message: `The scene has no ${key}.`,
            next_auto_fix: 'start_again',
          },
        }
      return { ok: true, value: structuredClone(value) }
    }
    const events = (
      request: { run_id: string; after: number },
      onEvents: (events: unknown[]) => void,
      onEnd: (problem: unknown) => void,
    ): (() => void) => {
      scripted.requests.push({ run_id: request.run_id, after: request.after })
      const streams = open.get(request.run_id) ?? new Set()
      open.set(request.run_id, streams)
      let sent = request.after
      let over = false
      const finish = (problem: unknown): void => {
        if (over) return
        over = true
        streams.delete(stream)
        onEnd(problem)
      }
      const push = (): void => {
        if (over) return
        const all = scripted.scene.events[request.run_id] ?? []
        const limit = scripted.scene.cutAt[request.run_id]?.shift() ?? Infinity
        const batch = all.slice(sent, Math.min(all.length, limit))
        sent += batch.length
        for (let at = 0; at < batch.length; at += 500)
          onEvents(structuredClone(batch.slice(at, at + 500)))
        if (limit !== Infinity)
          finish({
            error_class: 'hostd_unreachable',
            message: 'cut',
            next_auto_fix: 'retry_when_reachable',
          })
        else if (!scripted.scene.live.includes(request.run_id)) finish(null)
      }
      const stream = {
        sent,
        push,
        cut: () =>
          finish({
            error_class: 'hostd_unreachable',
            message: 'cut',
            next_auto_fix: 'retry_when_reachable',
          }),
      }
      streams.add(stream)
      setTimeout(push, 0)
      return () => {
        over = true
        streams.delete(stream)
      }
    }
    Object.assign(globalThis, { openclaw: { call, events }, scripted })
  }, scene)
}

/** What the page has asked so far. */
export const callsOf = async (page: Page): Promise<Call[]> =>
  await page.evaluate(() => (globalThis as unknown as { scripted: Scripted }).scripted.calls)
/** The host that the last call of a procedure was meant for. */
export const shownHostOf = async (page: Page, name: string): Promise<string | null | undefined> =>
  await page.evaluate(
    (called) => (globalThis as unknown as { scripted: Scripted }).scripted.shownHosts[called],
    name,
  )
export const requestsOf = async (page: Page): Promise<{ run_id: string; after: number }[]> =>
  await page.evaluate(() => (globalThis as unknown as { scripted: Scripted }).scripted.requests)
/** Leaves a procedure without an answer from now on. */
export const holdBack = async (page: Page, name: string): Promise<void> =>
  await page.evaluate((held) => {
    ;(globalThis as unknown as { scripted: Scripted }).scripted.held.push(held)
  }, name)
/** Replaces answers while the page is open, as time does. */
export async function change(page: Page, part: Partial<Scene>): Promise<void> {
  await page.evaluate((given) => {
    const { scene } = (globalThis as unknown as { scripted: Scripted }).scripted
    Object.assign(scene, given, { answers: { ...scene.answers, ...given.answers } })
  }, part)
}

import { bridgeProblem, bridgeReply, type BridgeReply, type BridgeTransport } from '#shared/bridge'
import { readMessages } from '#shared/hostd-client/messages'
import { shownHostHeader } from '#shared/shown-host'
import { problemOf } from './bridge-error.ts'

const gone = (): ReturnType<typeof problemOf> =>
  problemOf(
    'hostd_unreachable',
    'HQ on this machine does not answer. What is shown here stays as it was.',
  )
const cut = (): ReturnType<typeof problemOf> =>
  problemOf('hostd_unreachable', 'The connection to HQ was cut; the log goes on where it stopped.')

/** The loopback HTTP bridge of `hq serve`. @param secret the per-start secret */
export function serveTransport(secret: string): BridgeTransport {
  const headers = { 'content-type': 'application/json', 'x-openclaw-hq-secret': secret }
  return {
    async call(name, input, shown): Promise<BridgeReply> {
      let answer: Response
      try {
        answer = await fetch(`./bridge/call/${name}`, {
          method: 'POST',
          headers: shown === null ? headers : { ...headers, [shownHostHeader]: shown },
          body: JSON.stringify(input),
        })
      } catch {
        // fetch rejects for one reason only: no answer came.
        return { ok: false, problem: gone() }
      }
      const reply = bridgeReply.safeParse(await answer.json().catch(() => null))
      if (reply.success) return reply.data
      if (answer.status === 403 || answer.status === 401)
        return {
          ok: false,
          problem: problemOf(
            'forbidden',
            'HQ was restarted since this page was opened. Open it again from the window that shows its address.',
          ),
        }
      return {
        ok: false,
        problem: problemOf(
          'invalid_request',
          `HQ answered ${answer.status} without a valid reply. This page changed nothing.`,
        ),
      }
    },

    events(request, onEvents, onEnd) {
      const abort = new AbortController()
      let ended = false
      const end = (problem: Parameters<typeof onEnd>[0]): void => {
        if (ended || abort.signal.aborted) return
        ended = true
        onEnd(problem)
      }
      const read = async (): Promise<void> => {
        const answer = await fetch('./bridge/events', {
          method: 'POST',
          headers,
          body: JSON.stringify(request),
          signal: abort.signal,
        })
        if (!answer.ok || !answer.body)
          return end(
            problemOf(
              answer.status === 403 ? 'forbidden' : 'hostd_unreachable',
              `HQ answered ${answer.status} to the request for the log of ${request.run_id}.`,
            ),
          )
        for await (const messages of readMessages(answer.body)) {
          const events: unknown[] = []
          for (const { event, data } of messages) {
            if (event !== 'end') {
              events.push(...(JSON.parse(data) as unknown[]))
              continue
            }
            if (events.length > 0) onEvents(events.splice(0))
            end(bridgeProblem.nullable().parse(JSON.parse(data)))
          }
          if (events.length > 0) onEvents(events)
        }
        end(cut())
      }
      read().catch(() => end(cut()))
      return () => abort.abort()
    },
  }
}

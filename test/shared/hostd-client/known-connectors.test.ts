import { expect, it } from 'vitest'
import { HostdClient } from '#shared/hostd-client/client'
import { connectorsReader } from '#shared/hostd-client/known-connectors'

const reply = { ok: false, seen: null, connectors: null, last_phase0: null }

it('keeps the last answer of a silent host with its age, and forgets it for another host', async () => {
  let answers = true
  let whose = 'https://first.example'
  const read = connectorsReader(
    new HostdClient(() => ({
      base: whose,
      token: null,
      caller: {
        host: 'The host',
        sides: 'HQ and hostd',
        unreachable: () => 'The host does not answer.',
        redirectAdvice: '',
        behindProxy: false,
      },
      fetch: async () => {
        if (answers) return Response.json(reply)
        throw new TypeError('fetch failed')
      },
    })),
    () => whose,
  )
  const first = await read()
  expect(first).toEqual({ host: reply, as_of: expect.any(String) as string, problem: null })
  answers = false
  expect(await read()).toMatchObject({
    host: reply,
    as_of: first.as_of,
    problem: { error_class: 'hostd_unreachable', next_auto_fix: 'retry_when_reachable' },
  })
  whose = 'https://second.example'
  expect(await read()).toMatchObject({ host: null, as_of: null })
  whose = 'https://first.example'
  expect(await read()).toMatchObject({ host: null, as_of: null })
})

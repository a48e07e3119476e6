import { expect, it } from 'vitest'
import { gmail } from '#shared/connectors/gmail'
import { KeptFields } from '../../../../desktop/operator/connectors/kept-fields.ts'
import { memoryKeystore } from '../../../../desktop/operator/settings/keystore.ts'

const way = gmail.ways.oauth_desktop

it('keeps the fields that say so, for an empty field of the next attempt', async () => {
  const keystore = memoryKeystore()
  const kept = new KeptFields(keystore, () => undefined)
  expect(await kept.list()).toEqual([])
  await kept.keep('gmail', new Map([['account', 'ada@example.test']]))
  const afterRestart = new KeptFields(keystore, () => undefined)
  expect(await afterRestart.list()).toEqual(['gmail.account'])
  expect(await afterRestart.fill('gmail', way, { account: ' ' })).toEqual({
    account: 'ada@example.test',
  })
  expect(await afterRestart.fill('gmail', way, { account: 'eve@example.test' })).toEqual({
    account: 'eve@example.test',
  })
})

it('does without a keyring that fails, and logs it', async () => {
  const log: string[] = []
  const fail = (): Promise<never> => Promise.reject(new Error('the keyring is locked'))
  const keystore = { kind: 'os', get: fail, set: fail, delete: fail } as const
  const kept = new KeptFields(keystore, (text) => void log.push(text))
  expect(await kept.list()).toEqual([])
  await kept.keep('gmail', new Map([['client', 'content-0815']]))
  expect(await kept.fill('gmail', way, {})).toEqual({ client: 'content-0815' })
  expect(log).toEqual([
    expect.stringContaining('gmail.client could not be read'),
    expect.stringContaining('gmail.account could not be read'),
    expect.stringContaining('gmail.client could not be kept'),
  ])
  expect(log.join()).not.toContain('content-0815')
})

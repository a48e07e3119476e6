import { describe, expect, it } from 'vitest'
import { composeKeys, type Verdict } from '#ops/host/engines/compose/keys'
import { judgeComposeModel } from '#ops/host/engines/compose/judge'
import { composeModel } from '#ops/host/engines/compose/model'
import { composeSpecKeys } from '../../../../support/compose-spec.ts'

const sections: Readonly<Record<string, Readonly<Record<string, Verdict>>>> = composeKeys

describe('G10 the table of compose keys', () => {
  it('has every section of the specification and no other', () => {
    expect(Object.keys(sections).toSorted()).toEqual(Object.keys(composeSpecKeys).toSorted())
  })

  it.each(Object.entries(composeSpecKeys))('has every key of a %s and no other', (name, keys) => {
    expect(Object.keys(sections[name] ?? {}).toSorted()).toEqual(keys.toSorted())
  })

  it('names only sections that exist', () => {
    const named = Object.values(sections).flatMap((keys) =>
      Object.values(keys).flatMap((verdict) => {
        if (verdict.kind === 'judged') return verdict.each ?? []
        return verdict.kind === 'inside' || verdict.kind === 'each' ? [verdict.section] : []
      }),
    )
    expect(new Set(named)).toEqual(new Set(Object.keys(sections).filter((name) => name !== 'file')))
  })

  const at: Readonly<Record<string, (set: object) => object>> = {
    file: (set) => set,
    service: (web) => ({ services: { web } }),
    build: (set) => ({ services: { web: { build: { context: '/srv/x', ...set } } } }),
    secret: (key) => ({ secrets: { key } }),
    config: (key) => ({ configs: { key } }),
  }
  const refused = Object.entries(sections).flatMap(([section, keys]) =>
    Object.entries(keys).flatMap(([key, verdict]) =>
      verdict.kind === 'refused' ? [[section, key, verdict.code] as const] : [],
    ),
  )
  it.each(refused)('refuses in a %s the key %s as %s', (section, key, code) => {
    const fragment = at[section]?.({ [key]: true })
    const model = composeModel.parse({ name: 'shop', services: {}, ...fragment })
    const found = judgeComposeModel(model).open
    expect(found.map((each) => [each.code, each.subject])).toEqual([[code, key]])
    expect(found[0]?.pointer).toMatch(new RegExp(`/${key}$`))
    const off = composeModel.parse({
      name: 'shop',
      services: {},
      ...at[section]?.({ [key]: null }),
    })
    expect(judgeComposeModel(off).open).toEqual([])
  })

  it.each([
    ['the file', { new_key: {} }, 'new_key'],
    ['a service', { services: { web: { new_key: null } } }, 'new_key'],
    ['a build', { services: { web: { build: { context: '/s', new_key: 1 } } } }, 'build/new_key'],
    ['a deploy', { services: { web: { deploy: { new_key: 1 } } } }, 'deploy/new_key'],
    [
      'a limit',
      { services: { web: { deploy: { resources: { limits: { new_key: 1 } } } } } },
      'deploy/resources/limits/new_key',
    ],
    [
      'a mount',
      { services: { web: { volumes: [{ type: 'tmpfs', target: '/t', new_key: 1 }] } } },
      'volumes/0/new_key',
    ],
    [
      'a port',
      { services: { web: { ports: [{ target: 1, host_ip: '127.0.0.1', new_key: 1 }] } } },
      'ports/0/new_key',
    ],
    [
      'a hook',
      { services: { web: { post_start: [{ command: ['x'], new_key: 1 }] } } },
      'post_start/0/new_key',
    ],
    ['a volume', { volumes: { data: { new_key: 1 } } }, 'new_key'],
    [
      'a pool of addresses',
      { networks: { back: { ipam: { config: [{ new_key: 1 }] } } } },
      'ipam/config/0/new_key',
    ],
    ['a network', { networks: { back: { new_key: 1 } } }, 'new_key'],
    ['a secret', { secrets: { key: { new_key: 1 } } }, 'new_key'],
    ['a config', { configs: { key: { new_key: 1 } } }, 'new_key'],
    ['a service by a name of JavaScript', { services: { web: { constructor: 1 } } }, 'constructor'],
  ])('refuses a key of %s that is not in it', (_what, fragment, subject) => {
    const { open } = judgeComposeModel(
      composeModel.parse({ name: 'shop', services: {}, ...fragment }),
    )
    expect(open.map((each) => [each.code, each.subject])).toEqual([['unknown_setting', subject]])
  })
})

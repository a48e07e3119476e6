import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { withoutLaptopPackages } from '#ops/core/host-state/laptop-packages'
import { problemFrom } from '../../../support/step-context.ts'

const list = (text: string) =>
  JSON.parse(text) as {
    dependencies?: object
    packages?: Record<string, { dependencies?: object }>
  }

it('leaves the Codex CLI out of what a host installs, and everything else as it is', () => {
  const manifest = readFileSync('package.json', 'utf8')
  const lock = readFileSync('package-lock.json', 'utf8')
  expect(list(manifest).dependencies).toHaveProperty(['@openai/codex'])
  const slim = list(withoutLaptopPackages(manifest, 'package.json'))
  expect({ ...list(manifest).dependencies }).toEqual({
    ...slim.dependencies,
    '@openai/codex': expect.any(String) as unknown,
  })
  const before = list(lock).packages ?? {}
  const after = list(withoutLaptopPackages(lock, 'package-lock.json')).packages ?? {}
  expect(Object.keys(before).filter((path) => !(path in after)).length).toBeGreaterThan(1)
  for (const path of Object.keys(before))
    if (!(path in after)) expect(path).toMatch(/^node_modules\/@openai\/codex(-|$)/)
  expect(after['']?.dependencies).toEqual(slim.dependencies)
})

it('refuses a file that is no package list', async () => {
  const problem = await problemFrom(async () => withoutLaptopPackages('{', 'package.json'))
  expect(problem.errorClass).toBe('hostd_install_failed')
})

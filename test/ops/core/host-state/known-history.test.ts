import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { reviewRef } from '#shared/verdict'
import { deployHost, type DeployHost } from '../../../support/host.ts'

let at: DeployHost
beforeAll(async () => {
  at = await deployHost({ message: 'one' })
}, 300_000)
afterAll(async () => {
  await at.remove()
})

const main = (): string => at.git(at.origin, 'rev-parse', 'main')
const moveMain = (sha: string): string => at.git(at.origin, 'update-ref', 'refs/heads/main', sha)
const green = async (
  options?: Parameters<DeployHost['deploy']>[0],
): Promise<string | null | undefined> => {
  const { result } = await at.deploy(options)
  expect(result, JSON.stringify(result.steps)).toMatchObject({ overall: 'PASS' })
  return result.target_sha
}
const refused = async (
  errorClass: string,
  options?: Parameters<DeployHost['deploy']>[0],
): Promise<void> => {
  expect((await at.deploy(options)).result).toMatchObject({
    overall: 'FAIL',
    error_class: errorClass,
  })
}

it('accepts nothing of an unreviewed main that was rolled back from, so main may drop that commit', async () => {
  const one = main()
  await green()
  const two = await at.ship({ message: 'two' })
  await green()
  const unreviewed = await at.ship({ message: 'unreviewed' }, { reviewed: false })
  at.git(at.origin, 'update-ref', '-d', reviewRef(unreviewed))
  await refused('unreviewed_commit')
  expect(await green({ action: 'rollback', params: { to: one } })).toBe(one)
  moveMain(two)
  expect(await green({ params: { unpin: true } })).toBe(two)
  // What was accepted before that rollback still is.
  moveMain(one)
  await refused('main_rewound')
}, 600_000)

it('trusts neither a ref that is missing in the clone, nor a graft that joins another history to it', async () => {
  const clone = at.host.paths.root
  const accepted = at.git(clone, 'rev-parse', 'HEAD')
  const other = at.git(
    at.origin,
    'commit-tree',
    `${accepted}^{tree}`,
    '-p',
    main(),
    '-m',
    'another history',
  )
  moveMain(other)
  for (const ref of at
    .git(clone, 'for-each-ref', '--format=%(refname)', 'refs/openclaw/accepted')
    .split('\n')
    .filter((name) => name !== ''))
    at.git(clone, 'update-ref', '-d', ref)
  mkdirSync(join(clone, '.git', 'info'), { recursive: true })
  writeFileSync(join(clone, '.git', 'info', 'grafts'), `${other} ${accepted}\n`)
  await refused('main_rewound')
  expect(at.git(clone, 'rev-parse', 'HEAD')).toBe(accepted)
}, 600_000)

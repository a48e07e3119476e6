import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deployHost, type Deployed, type DeployHost } from '../../../../support/host.ts'
import { expectStop } from '../../../../support/stopped.ts'

let at: DeployHost
beforeAll(async () => {
  at = await deployHost({ message: 'one' })
  await green()
})
afterAll(async () => {
  await at.remove()
})

const clone = (...path: string[]): string => join(at.host.paths.root, ...path)
const put = (path: string, text: string): void => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}
const logOf = ({ events }: Deployed): string =>
  events.flatMap((event) => (event.type === 'log' ? [event.text] : [])).join('\n')
async function green(): Promise<Deployed> {
  const deploy = await at.deploy()
  expect(deploy.result, JSON.stringify(deploy.result.steps)).toMatchObject({ overall: 'PASS' })
  return deploy
}

describe('L4 lock files that a power cut left in the clone', () => {
  it('are removed and logged, whatever they lock', async () => {
    const target = await at.ship({ message: 'after the power cut' })
    const locks = [
      'index.lock',
      'HEAD.lock',
      'config.lock',
      'packed-refs.lock',
      'shallow.lock',
      'refs/heads/main.lock',
      'refs/heads/ab/cd.lock',
      'refs/remotes/origin/main.lock',
      `refs/openclaw/reviews/${target}.lock`,
      'objects/info/commit-graph.lock',
    ].map((path) => clone('.git', path))
    for (const lock of locks) put(lock, '')
    const deploy = await green()
    expect(deploy.result.target_sha).toBe(target)
    expect(locks.filter((lock) => existsSync(lock))).toEqual([])
    for (const lock of locks)
      expect(logOf(deploy)).toContain(`removed ${lock}: no git process uses the clone`)
  })

  it('are kept while a git works in the clone, unless they are older than the last boot', async () => {
    await at.ship({ message: 'beside a git' })
    const working = spawn('git', ['cat-file', '--batch'], {
      cwd: clone('docs'),
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    const ended = once(working, 'exit')
    const [old, held] = [clone('.git', 'HEAD.lock'), clone('.git', 'index.lock')]
    for (const lock of [old, held]) writeFileSync(lock, '')
    utimesSync(old, 1, 1)
    const head = at.git(at.host.paths.root, 'rev-parse', 'HEAD')
    const deploy = await at.deploy()
    expectStop(at, deploy, 'git_sync_failed', 'git_sync')
    expect(deploy.triage?.first_error?.text).toContain(
      `${held} is held: git process ${working.pid}`,
    )
    expect(logOf(deploy)).toContain(`removed ${old}: it is older than the last boot`)
    expect([existsSync(old), existsSync(held)]).toEqual([false, true])
    expect(at.git(at.host.paths.root, 'rev-parse', 'HEAD')).toBe(head)
    working.stdin.end()
    await ended
    await green()
  })
})

describe('L3 what no commit has and the commit would replace', () => {
  const precious = 'precious\n'

  it.each([
    ['a folder where the commit has a file', 'notes', 'notes/mine.txt', 'notes'],
    ['a file where the commit has another one', 'plan.txt', 'plan.txt', 'plan.txt'],
    ['a file where the commit has a folder', 'data/seed.txt', 'data', 'data'],
    ['a file in a folder that the commit has too', 'shared/a.txt', 'shared/a.txt', 'shared/a.txt'],
    ['an ignored file', 'secret.env', 'secret.env', 'secret.env'],
  ])('is kept, and refuses the deploy with its name: %s', async (_what, ofCommit, path, name) => {
    writeFileSync(clone('.git', 'info', 'exclude'), '/artifacts/\nsecret.env\n')
    const before = await at.message()
    const head = at.git(at.host.paths.root, 'rev-parse', 'HEAD')
    put(clone(path), precious)
    await at.ship({ message: `has ${ofCommit}` }, { files: { [ofCommit]: 'of the commit\n' } })
    const deploy = await at.deploy()
    expectStop(at, deploy, 'untracked_in_the_way', 'git_sync')
    expect(deploy.triage?.first_error?.text).toMatch(
      new RegExp(`same name as ${name}/?, which no commit has`),
    )
    expect(readFileSync(clone(path), 'utf8')).toBe(precious)
    expect(at.git(at.host.paths.root, 'rev-parse', 'HEAD')).toBe(head)
    expect(await at.message()).toEqual(before)
    rmSync(clone(name), { recursive: true })
  })

  it('is kept where it is a link, and where it lies in a folder that becomes a file', async () => {
    await at.ship({ message: 'a folder' }, { files: { 'both/tracked.txt': 'x\n' } })
    await green()
    symlinkSync('/etc/hostname', clone('link'))
    put(clone('both', 'mine.txt'), precious)
    await at.ship({ message: 'a link' }, { files: { link: 'of the commit\n' } })
    expectStop(at, await at.deploy(), 'untracked_in_the_way', 'git_sync')
    rmSync(clone('link'))
    await green()
    for (const path of ['notes', 'plan.txt', 'data/seed.txt', 'shared/a.txt', 'secret.env', 'link'])
      expect([path, readFileSync(clone(path), 'utf8')]).toEqual([path, 'of the commit\n'])
    expect(readFileSync(clone('both', 'mine.txt'), 'utf8')).toBe(precious)

    rmSync(join(at.host.dir, 'laptop', 'both'), { recursive: true })
    await at.ship({ message: 'now a file' }, { files: { both: 'of the commit\n' } })
    const deploy = await at.deploy()
    expectStop(at, deploy, 'untracked_in_the_way', 'git_sync')
    expect(deploy.triage?.first_error?.text).toContain('both/mine.txt')
    expect(readFileSync(clone('both', 'mine.txt'), 'utf8')).toBe(precious)
    rmSync(clone('both', 'mine.txt'))
  })

  it('does not refuse what is in a commit, nor what a reset wrote that was cut off', async () => {
    const text = 'the same bytes\n'
    put(clone('same.txt'), text)
    await at.ship({ message: 'the same' }, { files: { 'same.txt': text } })
    await green()

    const next = await at.ship({ message: 'cut off' }, { files: { 'half.txt': 'whole\n' } })
    at.git(at.host.paths.root, 'fetch', '--quiet', 'origin')
    at.git(at.host.paths.root, 'update-ref', 'refs/openclaw/reset', next)
    put(clone('half.txt'), 'who')
    await green()
    expect(readFileSync(clone('half.txt'), 'utf8')).toBe('whole\n')
    expect(at.git(at.host.paths.root, 'for-each-ref', 'refs/openclaw/reset')).toBe('')
  })
})

it('B2 a clone without history and without files is completed before its reviews are verified', async () => {
  await at.ship({ message: 'one more' })
  const target = await at.ship({ message: 'on top' })
  const { root } = at.host.paths
  const address = at.git(root, 'remote', 'get-url', 'origin')
  for (const allowed of ['allowFilter', 'allowAnySHA1InWant'])
    at.git(at.origin, 'config', `uploadpack.${allowed}`, 'true')
  const fresh = join(at.host.dir, 'fresh')
  at.git(
    root,
    'clone',
    '--quiet',
    '--no-checkout',
    '--depth=1',
    '--filter=blob:none',
    address,
    fresh,
  )
  rmSync(clone('.git'), { recursive: true })
  renameSync(join(fresh, '.git'), clone('.git'))
  const deploy = await green()
  expect(deploy.result.target_sha).toBe(target)
  expect(logOf(deploy)).toMatch(/this clone was not whole; fetched its history and \d+ objects/)
})

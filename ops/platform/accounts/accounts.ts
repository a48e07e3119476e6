import type { HostPaths } from '#ops/base/paths/paths'
import { Problem } from '#shared/errors'
import type { Change } from './change.ts'
import { runHostProgram, requireHostProgram } from '#ops/base/process/host-program'
import { buildHome } from './folders.ts'
import { buildUser, hostdUser, type Account } from './account.ts'

/** @returns null when there is no such account */
export async function findAccount(name: string): Promise<Account | null> {
  const { exitCode, stdout } = await runHostProgram(['getent', 'passwd', name])
  if (exitCode !== 0) return null
  const [, , uid, gid] = stdout.trim().split(':')
  return { uid: Number(uid), gid: Number(gid) }
}

/** @throws {Problem} `install_failed` when it is not there */
export async function accountOf(name: string): Promise<Account> {
  const found = await findAccount(name)
  if (found === null)
    throw new Problem('install_failed', `The account ${name} was created, but cannot be found.`)
  return found
}

const account = (name: string, home: string): Change => ({
  did: `created the account ${name}`,
  due: async () => (await findAccount(name)) === null,
  apply: async () => {
    await requireHostProgram([
      'useradd',
      '--system',
      '--user-group',
      '--no-create-home',
      '--home-dir',
      home,
      '--shell',
      '/usr/sbin/nologin',
      name,
    ])
  },
})

/** The accounts of a host: locked, without a shell. */
export const accounts = (paths: HostPaths): Change[] => [
  account(hostdUser, '/nonexistent'),
  account(buildUser, buildHome(paths)),
]

// Where a remote leads: the addresses that git reads it from and pushes to.
import { resolve } from 'node:path'
import { gitText, type GitOptions } from './run-git.ts'

export interface RemoteAddresses {
  /** Where it is read from. Git reads from the first of several only. */
  readonly read: readonly string[]
  /** Every address that one push goes to. */
  readonly push: readonly string[]
}

/**
 * The addresses as git uses them: after `insteadOf`, `pushurl` and `pushInsteadOf` of every scope.
 *
 * @param remote one that the repository has
 */
export async function remoteAddresses(
  repo: string,
  remote: string,
  options: GitOptions = {},
): Promise<RemoteAddresses> {
  const list = async (...more: readonly string[]): Promise<string[]> =>
    (
      await gitText(
        repo,
        ['remote', 'get-url', ...more, '--all', '--end-of-options', remote],
        options,
      )
    )
      .split('\n')
      .filter((url) => url !== '')
  return { read: await list(), push: await list('--push') }
}

/** An address without the password that it may carry. */
export const shownAddress = (url: string): string =>
  url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, '$1')

interface Place {
  readonly scheme: string
  readonly host: string
  readonly port: string
  readonly path: string
}

const defaultPorts: Readonly<Record<string, string>> = {
  http: '80',
  https: '443',
  ssh: '22',
  git: '9418',
}

const trimmed = (path: string): string =>
  path
    .replace(/^\/+/, '')
    .replace(/\/+$/, '')
    .replace(/\.git$/, '')

function placeOf(repo: string, url: string): Place {
  const [, scheme = '', host = '', port = '', path = ''] =
    /^([a-z][a-z0-9+.-]*):\/\/(?:[^/@]*@)?(\[[^\]]*\]|[^/:]*)(?::(\d*))?(\/.*)?$/i.exec(url) ?? []
  const name = scheme.toLowerCase().replace(/^git\+ssh$|^ssh\+git$/, 'ssh')
  if (name !== '' && name !== 'file')
    return {
      scheme: name,
      host: host.toLowerCase(),
      port: port === '' ? (defaultPorts[name] ?? '') : port,
      path: trimmed(path),
    }
  // `host:path` is ssh, unless a slash comes before the first colon.
  const [, sshHost, sshPath = ''] = /^(?:[^/@]*@)?(\[[^\]]*\]|[^/:]+):(.*)$/s.exec(url) ?? []
  if (name === '' && sshHost !== undefined)
    return { scheme: 'ssh', host: sshHost.toLowerCase(), port: '22', path: trimmed(sshPath) }
  const folder = name === 'file' ? path : url
  return { scheme: 'file', host: '', port: '', path: trimmed(resolve(repo, folder)) }
}

/**
 * Do two addresses name the same repository by their text: the same path on the same host? Two transports of one host
 * (https to read, ssh to push) count as the same; their ports then differ of necessity.
 */
export function isSameAddress(repo: string, one: string, other: string): boolean {
  const [a, b] = [placeOf(repo, one), placeOf(repo, other)]
  if (a.host !== b.host || a.path !== b.path) return false
  if (a.scheme === b.scheme) return a.port === b.port
  return a.scheme !== 'file' && b.scheme !== 'file'
}

import { expect, it } from 'vitest'
import { causeOf } from '#ops/platform/git/run-git'

const unreadable = [
  'fatal: Could not read from remote repository.',
  '',
  'Please make sure you have the correct access rights',
  'and the repository exists.',
]

it.each([
  [
    'an ssh remote that does not answer',
    ['ssh: connect to host git.example port 22: Connection refused', ...unreadable],
    'ssh: connect to host git.example port 22: Connection refused',
  ],
  [
    'an ssh key that is not accepted, below a banner and a warning',
    ['Authorized use only', 'Permission denied (publickey).', ...unreadable],
    'Permission denied (publickey).',
  ],
  [
    'a host name that does not resolve',
    [
      'warning: redirecting to https://git.example/',
      "fatal: unable to access 'https://git.example/': Could not resolve host: git.example",
    ],
    "fatal: unable to access 'https://git.example/': Could not resolve host: git.example",
  ],
  [
    'a protected branch',
    [
      'remote: ',
      'remote: error: GH006: Protected branch update failed for refs/heads/main.',
      'remote: error: Changes must be made through a pull request.',
      "error: failed to push some refs to 'github.com:o/r.git'",
    ],
    'error: GH006: Protected branch update failed for refs/heads/main.',
  ],
  [
    'a connection that breaks',
    ['error: RPC failed; curl 56 Recv failure', 'fatal: early EOF', 'fatal: fetch-pack: invalid'],
    'error: RPC failed; curl 56 Recv failure',
  ],
  ['nothing', ['hint: try again', ''], null],
])('B7 the cause that git names: %s', (_, lines, cause) => {
  expect(causeOf(lines)).toBe(cause)
})

import { hostdPaths } from '#shared/hostd-paths'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dodRunHeader } from '#shared/api'
import { newRunId } from '#shared/ids'
import { runCommand } from '#ops/base/process/command'
import { turnMaintenanceOff, turnMaintenanceOn } from '#ops/core/host-state/maintenance'
import { programArgv } from '#ops/base/process/program'
import type { Workspace } from './workspace.ts'
import { once, type Attempt, type ViolationGroup, type Violation } from './violation.ts'
import { hostdEnv, startTemporaryHostd, withToken, type TemporaryHostd } from './temporary-hostd.ts'

const status = hostdPaths.status

type Step = () => void | Promise<void>

/** Changes something for one request, and restores it whatever the answer is. */
const during =
  (change: Step, restore: Step, attempt: Attempt): Attempt =>
  async () => {
    await change()
    try {
      return await attempt()
    } finally {
      await restore()
    }
  }

function requestViolations(hostd: TemporaryHostd): Violation[] {
  const { request, token } = hostd
  const control = once(request({ path: status, headers: withToken(token) }))
  const other = randomBytes(24).toString('hex')
  const cases: readonly [
    name: string,
    what: string,
    expected: string,
    headers: readonly string[],
  ][] = [
    ['no_token', 'a request without a token', 'forbidden (403)', []],
    ['wrong_token', 'a request with another token', 'forbidden (403)', withToken(other)],
    ['empty_token', 'a request with an empty token', 'forbidden (403)', withToken('')],
    [
      'doubled_token',
      'a request with two tokens, the right one first',
      'forbidden (403)',
      [...withToken(token), ...withToken(other)],
    ],
    [
      'foreign_host',
      'a request for another host name',
      'host_refused (403)',
      [...withToken(token), 'Host', 'rebound.example.org'],
    ],
    [
      'foreign_origin',
      'a request from a foreign page',
      'origin_refused (403)',
      [...withToken(token), 'Origin', 'https://example.org'],
    ],
    [
      'funnel',
      'a request through Tailscale Funnel',
      'funnel_refused (403)',
      [...withToken(token), 'Tailscale-Funnel-Request', '?1'],
    ],
  ]
  return [
    ...cases.map(([name, what, expected, headers]): Violation => ({
      name,
      what,
      expected,
      control,
      attempt: request({ path: status, headers }),
    })),
    openTokenFile(hostd, control),
    ...startViolations(hostd),
  ]
}

const openTokenFile = ({ request, token, paths }: TemporaryHostd, control: Attempt): Violation => ({
  name: 'token_file_open',
  what: 'a token file that others may write',
  expected: 'token_not_configured (503)',
  control,
  attempt: during(
    () => chmodSync(paths.tokenFile, 0o666),
    () => chmodSync(paths.tokenFile, 0o600),
    request({ path: status, headers: withToken(token) }),
  ),
})

function startViolations({ request, token }: TemporaryHostd): Violation[] {
  const start = (body: object): Attempt =>
    request({ method: 'POST', path: hostdPaths.exec, headers: withToken(token), body })
  const control = once(start({ action: 'port_audit' }))
  return [
    {
      name: 'unknown_action',
      what: 'an action that is not in the allowlist',
      expected: 'unknown_action (404)',
      control,
      attempt: start({ action: 'sh' }),
    },
    {
      name: 'unknown_parameter',
      what: 'an action with a parameter that it does not have',
      expected: 'invalid_request (400)',
      control,
      attempt: start({ action: 'guard', params: { argv: ['sh'] } }),
    },
  ]
}

function maintenanceViolations({ request, token, paths }: TemporaryHostd): Violation[] {
  const start = (action: string, headers: readonly string[] = []): Attempt =>
    request({
      method: 'POST',
      path: hostdPaths.exec,
      headers: [...withToken(token), ...headers],
      body: { action },
    })
  const deploy = newRunId()
  const on = async (): Promise<void> => {
    await turnMaintenanceOn(paths, { deployRunId: deploy, reason: 'self-test' })
  }
  const off = async (): Promise<void> => {
    await turnMaintenanceOff(paths)
  }
  const dod = once(start('dod'))
  const verify = (deployRunId: string): Attempt =>
    during(on, off, start('verify_production', [dodRunHeader, deployRunId]))
  const cases: readonly Omit<Violation, 'expected'>[] = [
    {
      name: 'maintenance',
      what: 'a check of the Definition of Done during maintenance',
      control: dod,
      attempt: during(on, off, start('dod')),
    },
    {
      name: 'maintenance_unreadable',
      what: 'the same while the maintenance file cannot be read',
      control: dod,
      attempt: during(() => writeFileSync(paths.maintenance, '{"half'), off, start('dod')),
    },
    {
      name: 'maintenance_other_deploy',
      what: 'a verification in the name of another deploy during maintenance',
      control: verify(deploy),
      attempt: verify(newRunId()),
    },
  ]
  return cases.map((each) => ({ ...each, expected: 'MAINTENANCE_MODE (503)' }))
}

function artifactViolations(
  { request, token, paths }: TemporaryHostd,
  secret: string,
): Violation[] {
  const { artifacts } = paths
  mkdirSync(join(artifacts, 'deploy'))
  writeFileSync(join(artifacts, 'deploy', 'step.log'), 'a line of proof\n')
  writeFileSync(join(artifacts, '.hidden'), 'hidden\n')
  symlinkSync(secret, join(artifacts, 'deploy', 'link.log'))
  symlinkSync(join(secret, '..'), join(artifacts, 'folder'))
  const get = (path: string): Attempt =>
    request({ path: `${hostdPaths.artifacts}/${path}`, headers: withToken(token) })
  const control = once(get('deploy/step.log'))
  const refused = (name: string, what: string, path: string): Violation => ({
    name,
    what,
    expected: 'not_found (404)',
    control,
    attempt: get(path),
  })
  return [
    refused('artifact_dots', 'a path with ..', 'deploy/../../../outside/secret.txt'),
    refused('artifact_encoded_dots', 'a path with encoded ..', '..%2F..%2Foutside%2Fsecret.txt'),
    refused('artifact_link', 'a link to a file outside', 'deploy/link.log'),
    refused('artifact_linked_folder', 'a link to a folder outside', 'folder/secret.txt'),
    refused('artifact_hidden_file', 'a hidden file', '.hidden'),
  ]
}

/** Starts a hostd with an address of another machine, on which it cannot open anything. It must end with an error. */
const servingElsewhere =
  (workspace: Workspace, signal: AbortSignal): Attempt =>
  async () => {
    const { env } = hostdEnv(workspace, 'listen', randomBytes(24).toString('hex'))
    const { exitCode, timedOut, stderrTail } = await runCommand(programArgv('hostd'), {
      cwd: '/',
      env: { ...env, OPENCLAW_HOSTD_ADDRESS: '192.0.2.1' },
      timeLimitSeconds: 40,
      signal,
    })
    return timedOut
      ? { accepted: true, said: 'it kept running' }
      : { accepted: false, refusal: `exit code ${String(exitCode)}`, said: stderrTail }
  }

/** Requests that a real hostd must refuse, over HTTP. */
export const hostdViolations: ViolationGroup = {
  name: 'hostd',
  guard: 'hostd',
  prepare: async (workspace, signal) => {
    const secret = join(workspace.sub('hostd', 'outside'), 'secret.txt')
    writeFileSync(secret, 'outside\n')
    const hostd = await startTemporaryHostd(workspace, randomBytes(24).toString('hex'), signal)
    return {
      violations: [
        ...requestViolations(hostd),
        ...maintenanceViolations(hostd),
        ...artifactViolations(hostd, secret),
        {
          name: 'public_address',
          what: 'an address that is not loopback',
          expected: 'exit code 64',
          control: hostd.request({ path: hostdPaths.health }),
          attempt: servingElsewhere(workspace, signal),
        },
      ],
      end: hostd.stop,
    }
  },
}

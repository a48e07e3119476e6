import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dodRunHeader } from '#shared/api'
import { newRunId } from '#shared/ids'
import { runCommand } from '#ops/base/process/command'
import { turnMaintenanceOff, turnMaintenanceOn } from '#ops/core/host-state/maintenance'
import { programArgv } from '#ops/base/process/program'
import type { Place } from './workspace.ts'
import { once, type Attempt, type Group, type Plant } from './violation.ts'
import { hostdEnv, startTemporaryHostd, withToken, type TemporaryHostd } from './temporary-hostd.ts'

const status = '/api/status'

/** Something is changed for one question and put back, whatever the answer. */
const during =
  (change: () => void, back: () => void, ask: Attempt): Attempt =>
  async () => {
    change()
    try {
      return await ask()
    } finally {
      back()
    }
  }

function requestPlants({ ask, token, paths }: TemporaryHostd): Plant[] {
  const clean = once(ask({ path: status, headers: withToken(token) }))
  const refused = (
    name: string,
    planted: string,
    expected: string,
    headers: readonly string[],
  ): Plant => ({ name, planted, expected, control: clean, plant: ask({ path: status, headers }) })
  const wrong = randomBytes(24).toString('hex')
  const start = (body: object): Attempt =>
    ask({ method: 'POST', path: '/api/exec', headers: withToken(token), body })
  const admitted = once(start({ action: 'port_audit' }))
  return [
    refused('no_token', 'a request without a token', 'forbidden (403)', []),
    refused('wrong_token', 'a request with another token', 'forbidden (403)', withToken(wrong)),
    refused('empty_token', 'a request with an empty token', 'forbidden (403)', withToken('')),
    refused('doubled_token', 'a request with two tokens, the right one first', 'forbidden (403)', [
      ...withToken(token),
      ...withToken(wrong),
    ]),
    refused('foreign_host', 'a request for another host name', 'host_refused (403)', [
      ...withToken(token),
      'Host',
      'rebound.example.org',
    ]),
    refused('foreign_origin', 'a request from a foreign page', 'origin_refused (403)', [
      ...withToken(token),
      'Origin',
      'https://example.org',
    ]),
    refused('funnel', 'a request through Tailscale Funnel', 'funnel_refused (403)', [
      ...withToken(token),
      'Tailscale-Funnel-Request',
      '?1',
    ]),
    {
      name: 'token_file_open',
      planted: 'a token file that others may write',
      expected: 'token_not_configured (503)',
      control: clean,
      plant: during(
        () => chmodSync(paths.tokenFile, 0o666),
        () => chmodSync(paths.tokenFile, 0o600),
        ask({ path: status, headers: withToken(token) }),
      ),
    },
    {
      name: 'unknown_action',
      planted: 'an action that is not in the allowlist',
      expected: 'unknown_action (404)',
      control: admitted,
      plant: start({ action: 'sh' }),
    },
    {
      name: 'unknown_parameter',
      planted: 'an action with a parameter that it does not have',
      expected: 'invalid_request (400)',
      control: admitted,
      plant: start({ action: 'guard', params: { argv: ['sh'] } }),
    },
  ]
}

function maintenancePlants({ ask, token, paths }: TemporaryHostd): Plant[] {
  const start = (action: string, headers: readonly string[] = []): Attempt =>
    ask({
      method: 'POST',
      path: '/api/exec',
      headers: [...withToken(token), ...headers],
      body: { action },
    })
  const deploy = newRunId()
  const on = (): void => {
    turnMaintenanceOn(paths, { deployRunId: deploy, reason: 'self-test' })
  }
  const off = (): void => {
    turnMaintenanceOff(paths)
  }
  const refused = (name: string, planted: string, control: Attempt, plant: Attempt): Plant => ({
    name,
    planted,
    expected: 'MAINTENANCE_MODE (503)',
    control,
    plant,
  })
  const doctor = once(start('doctor'))
  return [
    refused('maintenance', 'doctor during maintenance', doctor, during(on, off, start('doctor'))),
    refused(
      'maintenance_unreadable',
      'doctor beside a maintenance file that cannot be read',
      doctor,
      during(() => writeFileSync(paths.maintenance, '{"half'), off, start('doctor')),
    ),
    refused(
      'maintenance_other_deploy',
      'doctor in the name of another deploy during maintenance',
      during(on, off, start('verify_production', [dodRunHeader, deploy])),
      during(on, off, start('verify_production', [dodRunHeader, newRunId()])),
    ),
  ]
}

function artifactPlants({ ask, token, paths }: TemporaryHostd, secret: string): Plant[] {
  const { artifacts } = paths
  mkdirSync(join(artifacts, 'deploy'))
  writeFileSync(join(artifacts, 'deploy', 'step.log'), 'a line of proof\n')
  writeFileSync(join(artifacts, '.hidden'), 'hidden\n')
  symlinkSync(secret, join(artifacts, 'deploy', 'link.log'))
  symlinkSync(join(secret, '..'), join(artifacts, 'folder'))
  const get = (path: string): Attempt =>
    ask({ path: `/api/artifacts/${path}`, headers: withToken(token) })
  const control = once(get('deploy/step.log'))
  const refused = (name: string, planted: string, path: string): Plant => ({
    name,
    planted,
    expected: 'not_found (404)',
    control,
    plant: get(path),
  })
  return [
    refused('artifact_dots', 'a path with ..', 'deploy/../../../outside/secret.txt'),
    refused('artifact_encoded_dots', 'a path with encoded ..', '..%2F..%2Foutside%2Fsecret.txt'),
    refused('artifact_link', 'a link to a file outside', 'deploy/link.log'),
    refused('artifact_linked_folder', 'a link to a folder outside', 'folder/secret.txt'),
    refused('artifact_hidden_file', 'a hidden file', '.hidden'),
  ]
}

/** How a hostd that was told to serve an address of another machine ended. Nothing could be opened by it. */
const servedElsewhere =
  (place: Place, signal: AbortSignal): Attempt =>
  async () => {
    const { env } = hostdEnv(place, 'listen', randomBytes(24).toString('hex'))
    const { exitCode, timedOut, stderrTail } = await runCommand(programArgv('hostd'), {
      cwd: '/',
      env: { ...env, OPENCLAW_HOSTD_ADDRESS: '192.0.2.1' },
      timeLimitSeconds: 40,
      signal,
    })
    return timedOut
      ? { accepted: true, said: 'it went on' }
      : { accepted: false, refusal: `exit code ${String(exitCode)}`, said: stderrTail }
  }

/** What a real hostd answers, over HTTP. */
export const hostdPlants: Group = {
  name: 'hostd',
  guard: 'hostd',
  make: async (place, signal) => {
    const secret = join(place.sub('hostd', 'outside'), 'secret.txt')
    writeFileSync(secret, 'outside\n')
    const hostd = await startTemporaryHostd(place, randomBytes(24).toString('hex'), signal)
    return {
      plants: [
        ...requestPlants(hostd),
        ...maintenancePlants(hostd),
        ...artifactPlants(hostd, secret),
        {
          name: 'public_address',
          planted: 'an address that is not loopback',
          expected: 'exit code 64',
          control: hostd.ask({ path: '/health' }),
          plant: servedElsewhere(place, signal),
        },
      ],
      end: hostd.stop,
    }
  },
}

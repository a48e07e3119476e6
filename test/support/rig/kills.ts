import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { isEnded } from '#shared/run'
import { deployResult, projectState } from '#shared/result'
import { seeded, type Random } from '../seeded.ts'
import type { DeployHost } from './deploy-host.ts'
import { productionPaths as paths } from './host.ts'
import { until } from './patience.ts'

const killed = ['hostd', 'runner', 'pipeline', 'dockerd'] as const
type Killed = (typeof killed)[number]

const linesOf = (text: string): number => text.split('\n').length - 1

/** How many lines the log of a green deploy has: a kill comes anywhere within them. */
export const logLength = (at: DeployHost, id: string): number => linesOf(at.log(id))

/** SIGKILL for the main process of a unit, as the kernel would for one that takes too much memory. */
const killUnit = async (at: DeployHost, unit: string, name: string): Promise<string> => {
  await at.rig.must(['systemctl', 'kill', '--kill-who=main', '--signal=SIGKILL', unit])
  return name
}

/** Kills one of them. @returns what was killed */
const kill: Readonly<
  Record<Killed, (at: DeployHost, id: string, random: Random) => Promise<string>>
> = {
  hostd: async (at) => await killUnit(at, 'openclaw-hostd.service', 'hostd'),
  dockerd: async (at) => await killUnit(at, 'docker.service', 'dockerd'),
  runner: async (at, id) => {
    await at.rig.exec(['kill', '-KILL', String((await at.record(id)).pid)])
    return 'the runner'
  },
  pipeline: async (at, id, random) => {
    const record = await at.record(id)
    const [first, ...others] = (await at.processesOf(record.unit ?? '')).filter(
      (pid) => pid !== record.pid,
    )
    // it has ended by itself: a deploy that nobody killed has to be right all the same
    if (first === undefined) return 'nothing'
    const pid = random.pick([first, ...others])
    const name = (await at.rig.exec(['cat', `/proc/${pid}/comm`])).out.trim()
    await at.rig.exec(['kill', '-KILL', String(pid)])
    return `${name} of the pipeline`
  },
}

/** Processes that carry the mark of a run in their environment. */
async function markedBy(at: DeployHost, id: string): Promise<string> {
  const look =
    'for each in /proc/[0-9]*; ' +
    'do if tr "\\0" "\\n" < "$each/environ" 2> /dev/null | grep -qxF "OPENCLAW_RUN_ID=$ID"; ' +
    'then echo "$each $(cat "$each/comm")"; fi; done'
  const { out } = await at.rig.exec(['sh', '-c', look], { env: { ID: id } })
  return out.trim()
}
const unitsLeft = async (at: DeployHost): Promise<string> =>
  (
    await at.rig.exec([
      'systemctl',
      'list-units',
      '--plain',
      '--no-legend',
      '--state=active,activating,deactivating',
      'openclaw-runner@*',
    ])
  ).out.trim()
const verifiedHead = (at: DeployHost): string =>
  projectState.parse(JSON.parse(readFileSync(at.rig.path(paths.projectState), 'utf8')))
    .last_verified_head

/** A deploy that says PASS is one: the version serves, the state names it, maintenance is over. */
async function expectGreen(
  at: DeployHost,
  context: string,
  message: string,
  sha: string,
): Promise<void> {
  expect(await until(`the app, ${context}`, async () => await at.serves()), context).toEqual({
    ok: true,
    message,
    commit: sha,
  })
  expect([verifiedHead(at), at.maintenance()], context).toEqual([sha, null])
}

/**
 * Deploys a version, kills something with SIGKILL at a moment of chance, and requires: the run ends, as what it was;
 * nothing of it is left; nothing says PASS that is none; the next deploy is green.
 * @param lines how long the log of a deploy is
 * @returns what was killed and how the run ended
 */
export async function expectSurvived(at: DeployHost, seed: number, lines: number): Promise<string> {
  const random = seeded(seed)
  const message = `version ${seed}`
  const sha = await at.ship(message)
  const [what, when] = [
    killed[seed % killed.length] ?? 'hostd',
    1 + random.below(Math.max(1, lines - 1)),
  ]
  const id = await at.begin('deploy_and_verify')
  const asked = async (): Promise<Awaited<ReturnType<DeployHost['run']>> | null> =>
    await at.run(id).catch(() => null) // hostd was just killed: asked again
  await until(
    `line ${when} of ${id}`,
    async () => linesOf(at.log(id)) >= when || isEnded((await asked())?.status ?? 'running'),
  )
  const victim = await kill[what](at, id, random)
  const run = await until(
    `${id} to end after the kill of ${victim}`,
    async () => {
      const found = await asked()
      return found !== null && isEnded(found.status) ? found : null
    },
    900,
  )
  const context =
    `seed ${seed}: ${victim} killed at line ${when} of ${lines}; ` +
    `the run is ${run.status} ${run.error_class ?? ''}`

  await until(`the unit of ${id} to be gone, ${context}`, async () => (await unitsLeft(at)) === '')
  expect(await markedBy(at, id), context).toBe('')
  if (run.status === 'passed') {
    expect(deployResult.parse(run.result), context).toMatchObject({
      overall: 'PASS',
      target_sha: sha,
    })
    await expectGreen(at, context, message, sha)
  } else {
    expect(['failed', 'runner_lost', 'interrupted'], context).toContain(run.status)
    expect(run.error_class, context).not.toBeNull()
  }

  await until('Docker to answer', async () => (await at.rig.exec(['docker', 'version'])).code === 0)
  const { result } = await at.deploy()
  expect(
    result,
    `${context}; the next: ${JSON.stringify(
      result.steps.map((each) => `${each.name} ${each.status} ${each.detail ?? ''}`),
      null,
      1,
    )}`,
  ).toMatchObject({ overall: 'PASS', target_sha: sha })
  await expectGreen(at, context, message, sha)
  return `${victim} at line ${when}: ${run.status}${run.error_class === null ? '' : ` ${run.error_class}`}`
}

import { execFileSync } from 'node:child_process'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { projectState } from '#shared/result'
import type { RunEvent } from '#shared/events'
import { deployHost, type DeployHost } from '../support/host.ts'
import { whyNoTmpfs } from '../support/tmpfs.ts'

const why = whyNoTmpfs()
if (why) console.warn(`Skipped, ${why}: storage that fails during a deploy`)

const steps = [
  'assert_production_pull_only',
  'git_sync',
  'hostd_install',
  'console_build',
  'docker_compose',
  'verify_production',
  'console_route_gate',
  'dod_production',
  'update_project_state',
] as const

/** Writes until nothing more goes. */
function fillUp(file: string): void {
  const fd = openSync(file, 'a')
  try {
    for (const size of [65_536, 512, 1]) {
      try {
        for (;;) writeSync(fd, Buffer.alloc(size))
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
      }
    }
  } finally {
    closeSync(fd)
  }
}

describe.skipIf(why !== null)('storage that fails at the beginning of any step of a deploy', () => {
  let at: DeployHost
  let good: string
  const mounted: string[] = []
  beforeAll(async () => {
    at = await deployHost(
      { message: 'one' },
      {
        prepare: ({ paths }) => {
          for (const [folder, mib] of [
            [paths.artifacts, 24],
            [paths.state, 24],
          ] as const) {
            mkdirSync(folder, { recursive: true })
            execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mib}m`, 'tmpfs', folder])
            mounted.push(folder)
          }
        },
      },
    )
    const { result } = await at.deploy()
    expect(result.overall, JSON.stringify(result.steps)).toBe('PASS')
    good = result.target_sha ?? ''
  })
  afterAll(async () => {
    await at.hostd.stop()
    for (const folder of mounted) execFileSync('umount', ['--lazy', folder])
    await at.remove()
  })

  const filler = (folder: string): string => join(folder, '.filler')
  /** As after an error of the disk: what is open goes on, nothing new can be written. */
  const readOnly = (folder: string): void => {
    // Made read-only beside, where nobody writes, and then laid over it: a mount that is written through stays
    // writable.
    const beside = mkdtempSync(join(tmpdir(), 'read-only-'))
    execFileSync('mount', ['--bind', folder, beside])
    execFileSync('mount', ['-o', 'remount,bind,ro', beside])
    execFileSync('mount', ['--bind', beside, folder])
    execFileSync('umount', [beside])
    rmdirSync(beside)
  }
  const faults = {
    'artifacts are full': {
      classes: ['disk_full'],
      begin: () => fillUp(filler(at.host.paths.artifacts)),
      end: () => rmSync(filler(at.host.paths.artifacts), { force: true }),
    },
    // Doctor, which verification and the DoD run, finds the disk full as well.
    'the state is full': {
      classes: ['disk_full', 'doctor_failed', 'dod_failed'],
      begin: () => fillUp(filler(at.host.paths.state)),
      end: () => rmSync(filler(at.host.paths.state), { force: true }),
    },
    'artifacts are read-only': {
      classes: ['storage_read_only', 'runner_lost'],
      begin: () => readOnly(at.host.paths.artifacts),
      end: () => {
        execFileSync('umount', ['--lazy', at.host.paths.artifacts])
      },
    },
  }
  const state = (): string =>
    projectState.parse(JSON.parse(readFileSync(at.host.paths.projectState, 'utf8')))
      .last_verified_head

  describe.each(Object.keys(faults) as (keyof typeof faults)[])('%s', (name) => {
    it.each(steps)(
      'from %s on: the run ends with a clear class, and the state file is whole',
      async (step) => {
        const { classes, begin, end } = faults[name]
        const sha = await at.ship({ message: `${name} ${step}` })
        let begun = false
        const { run_id } = await at.hostd.client.exec('deploy_and_verify')
        const onEvents = (events: readonly RunEvent[]): void => {
          if (
            begun ||
            !events.some((event) => event.type === 'step_started' && event.step === step)
          )
            return
          begun = true
          begin()
        }
        try {
          await at.hostd.client.followRun(run_id, { onEvents })
          expect(begun).toBe(true)
          const run = await at.hostd.client.run(run_id)
          const context = JSON.stringify([run.status, run.error_class, run.result], null, 1).slice(
            0,
            9000,
          )
          if (run.status === 'passed')
            expect([state(), at.maintenance()], context).toEqual([sha, null]) // the step wrote nothing any more
          else {
            expect(classes, context).toContain(run.error_class)
            if (run.error_class === 'doctor_failed' || run.error_class === 'dod_failed')
              expect(JSON.stringify(run.result), context).toMatch(/ENOSPC|disk/)
            expect([good, sha], context).toContain(state())
          }
          good = state()
        } finally {
          if (begun) end()
        }
      },
    )

    it('and afterwards the next deploy is green', async () => {
      const sha = await at.ship({ message: `after ${name}` })
      const { result } = await at.deploy()
      expect(result, JSON.stringify(result.steps)).toMatchObject({
        overall: 'PASS',
        target_sha: sha,
      })
      expect(await at.message()).toEqual({ message: `after ${name}`, commit: sha })
      expect([state(), at.maintenance()]).toEqual([sha, null])
      good = sha
    })
  })
})

import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { nodeProgram } from '#ops/base/process/program'
import { whyNoDocker } from '../support/docker.ts'
import { must } from '../support/rig/programs.ts'

const why = whyNoDocker()
if (why) console.warn(`Skipped, ${why}: whole deploys with the engine compose`)

const triple = z.tuple([z.string(), z.string(), z.string().nullable()])
const outcome = z.object({
  overall: z.string(),
  step_failed: z.string().nullable(),
  error_class: z.string().nullable(),
  engine: z.string().nullable(),
  unanswered_ms: z.number().nullable(),
  containers: z.array(z.string()),
  steps: z.array(triple),
  first_error: z.string().nullable(),
  maintenance: z.boolean(),
  checks: z.array(triple).nullable(),
})
const served = z.object({ ok: z.boolean(), message: z.string(), commit: z.string() })
const story = z.object({
  first: outcome.extend({ sha: z.string(), serves: served }),
  open: outcome.extend({
    serves: served,
    load: z.object({ sent: z.number(), failed: z.number() }),
  }),
  second: outcome.extend({ sha: z.string(), serves: served }),
  exposed: outcome,
})

/**
 * Deploy+Verify through hostd in a network of its own, so that the whole-host audit judges that host and not this
 * machine.
 */
describe.skipIf(why !== null)('a deploy with the engine compose', () => {
  const net = `hq-${randomBytes(3).toString('hex')}`
  let came: z.infer<typeof story>
  beforeAll(async () => {
    execFileSync('ip', ['netns', 'add', net])
    execFileSync('nsenter', [`--net=/run/netns/${net}`, 'ip', 'link', 'set', 'lo', 'up'])
    const text = await must(
      [
        'nsenter',
        `--net=/run/netns/${net}`,
        nodeProgram(),
        join(process.cwd(), 'test/support/compose-deploy.ts'),
        net,
      ],
      { seconds: 1800 },
    )
    came = story.parse(JSON.parse(text))
  })
  afterAll(() => {
    execFileSync('ip', ['netns', 'delete', net])
  })

  it('goes through all steps and ends green; what runs is what was built', () => {
    const { overall, engine, steps, sha, serves, maintenance, checks } = came.first
    expect(
      {
        overall,
        engine,
        maintenance,
        unfinished: steps.filter(([, status]) => status !== 'passed'),
      },
      JSON.stringify(came.first),
    ).toEqual({ overall: 'PASS', engine: 'compose', maintenance: false, unfinished: [] })
    expect(serves).toEqual({ ok: true, message: 'one', commit: sha })
    const running = checks?.find(([name]) => name === 'running_version')
    expect(running?.[1]).toBe('PASS')
    expect(running?.[2]).toContain(`web runs image`)
    expect(
      checks
        ?.filter(([name]) => name.startsWith('ports:'))
        .map(([name, status]) => `${name} ${status}`),
    ).toEqual([
      'ports:sockets PASS',
      'ports:docker PASS',
      'ports:nat PASS',
      'ports:tailnet PASS',
      'ports:tailscale PASS',
    ])
  })

  it('stops at a public port before anything is built or stopped, and no request is lost', () => {
    const { overall, step_failed, error_class, first_error, maintenance, serves, load } = came.open
    expect({ overall, step_failed, error_class, maintenance }, JSON.stringify(came.open)).toEqual({
      overall: 'FAIL',
      step_failed: 'docker_compose',
      error_class: 'public_port',
      maintenance: true,
    })
    expect(first_error).toContain('compose.yaml#/services/web/ports/0')
    expect(serves.message).toBe('one')
    expect(load.sent).toBeGreaterThan(50)
    expect(load.failed).toBe(0)
  })

  it('replaces the one service that changed, says how long nothing answered, and clears maintenance', () => {
    const { overall, unanswered_ms, steps, serves, sha, maintenance } = came.second
    expect({ overall, maintenance, serves }, JSON.stringify(came.second)).toEqual({
      overall: 'PASS',
      maintenance: false,
      serves: { ok: true, message: 'two', commit: sha },
    })
    expect(unanswered_ms).toBeGreaterThan(0)
    expect(steps.find(([name]) => name === 'docker_compose')?.[2]).toMatch(
      /^engine compose: started job, web, unchanged side, console; no answer for \d+ ms$/,
    )
  })

  it('B6 takes a job that ends with 0, an absent optional service, and a fixed address twice', () => {
    const containers = ['shop-job-1 exited', 'shop-side-1 running', 'shop-web-1 running']
    expect([came.first.containers, came.second.containers]).toEqual([containers, containers])
  })

  it('is not green while another program of the host can be reached from outside', () => {
    const { overall, step_failed, error_class, checks, maintenance } = came.exposed
    expect(
      { overall, step_failed, error_class, maintenance },
      JSON.stringify(came.exposed),
    ).toEqual({
      overall: 'FAIL',
      step_failed: 'verify_production',
      error_class: 'public_port',
      maintenance: true,
    })
    expect(checks?.find(([name]) => name === 'ports:sockets')).toEqual([
      'ports:sockets',
      'FAIL',
      expect.stringMatching(/listens on udp 0\.0\.0\.0:5000/),
    ])
  })
})

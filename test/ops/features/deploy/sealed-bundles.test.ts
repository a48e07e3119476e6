import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { programArgv } from '#ops/base/process/program'
import { manifest as manifestSchema, type Manifest } from '#shared/proof'
import { deployHost, type Deployed, type DeployHost } from '../../../support/host.ts'

let at: DeployHost
let deployed: Deployed
beforeAll(async () => {
  at = await deployHost({ message: 'one' })
  deployed = await at.deploy()
  expect(deployed.result.overall, JSON.stringify(deployed.result.steps)).toBe('PASS')
})
afterAll(async () => {
  await at.remove()
})

const manifestOf = (dir: string): Manifest =>
  manifestSchema.parse(JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8')))
const newest = (kind: string): string => {
  const base = join(at.host.paths.artifacts, kind)
  return join(base, readdirSync(base).toSorted().at(-1) ?? '')
}
const shown = async (): Promise<unknown> =>
  ((await at.hostd.request('/api/status')).body as { bundles: unknown }).bundles
const verify = () => {
  const [program, ...args] = programArgv('hq', ['proof', 'verify', at.host.paths.artifacts])
  const { status, stdout } = spawnSync(program, args, { env: at.host.env, encoding: 'utf8' })
  return { status, stdout }
}

describe('the proof of a host', () => {
  it('is sealed when the run has ended: deploy and doctor in one chain, with a key nobody else can read', async () => {
    const deploy = manifestOf(deployed.dir)
    expect(deploy).toMatchObject({
      kind: 'deploy',
      run_id: deployed.run.run_id,
      git_head: deployed.result.git_head,
      git_tree: deployed.result.git_tree,
    })
    const doctor = manifestOf(newest('doctor'))
    expect([doctor.kind, doctor.chain, doctor.signature.key_id]).toEqual([
      'doctor',
      deploy.chain,
      deploy.signature.key_id,
    ])
    expect(deploy.files.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['deploy_result.json', 'verify_production.json', 'dod_result.json']),
    )
    expect(statSync(join(at.host.paths.etc, 'keys', 'deploy_key.pem')).mode & 0o777).toBe(0o600)
    expect(await shown()).toMatchObject({
      deploy: { run_id: deployed.run.run_id, complete: true, verification: 'verified' },
    })
    expect(verify()).toMatchObject({ status: 0 })
  })

  it('is shown as broken when a file of it changes, and that file is named', async () => {
    const file = join(deployed.dir, 'verify_production.json')
    const before = readFileSync(file)
    writeFileSync(file, before.toString().replace('PASS', 'pass'))
    expect(await shown()).toMatchObject({ deploy: { verification: 'broken' } })
    expect(verify().stdout).toContain('verify_production.json')
    writeFileSync(file, before)
    expect(await shown()).toMatchObject({ deploy: { verification: 'verified' } })
  })

  it('is sealed by the next run of its kind when a killed runner left it unsealed', async () => {
    // As a kill right before the seal leaves it: the newest of the chain without its manifest, the chain one behind.
    const chainFile = join(at.host.paths.state, 'proof', 'chain.json')
    const chain = readFileSync(chainFile)
    const { run } = await at.hostd.client.startOrJoin('doctor', {}, {})
    const left = join(at.host.paths.artifacts, 'doctor', run.run_id)
    rmSync(join(left, 'manifest.json'))
    writeFileSync(chainFile, chain)
    await at.hostd.client.startOrJoin('doctor', {}, {})
    expect(existsSync(join(left, 'manifest.json'))).toBe(true)
    expect(verify()).toMatchObject({ status: 0 })
  })

  it('changes no result when it cannot be sealed, and the log of the run says so', async () => {
    const chainFile = join(at.host.paths.state, 'proof', 'chain.json')
    const chain = readFileSync(chainFile)
    writeFileSync(chainFile, 'damaged')
    const { run } = await at.hostd.client.startOrJoin('doctor', {}, {})
    writeFileSync(chainFile, chain)
    expect(run.status).toBe('passed')
    expect(existsSync(join(at.host.paths.artifacts, 'doctor', run.run_id, 'manifest.json'))).toBe(
      false,
    )
    expect(readFileSync(join(at.host.paths.runs, run.run_id, 'log.ndjson'), 'utf8')).toContain(
      'was not sealed: proof_chain_unreadable',
    )
  })

  it('is sealed too for a Definition of Done that runs again, and for a deploy that stopped', async () => {
    const { run } = await at.hostd.client.startOrJoin('dod', {}, {})
    expect(run.status).toBe('passed')
    expect(manifestOf(join(at.host.paths.artifacts, 'dod', run.run_id)).kind).toBe('dod')
    await at.ship({ message: 'not reviewed' }, { reviewed: false })
    const stopped = await at.deploy()
    expect(stopped.result.error_class).toBe('unreviewed_commit')
    expect(manifestOf(stopped.dir).files.map(({ path }) => path)).toContain('triage.json')
    expect(verify()).toMatchObject({ status: 0 })
  })
})

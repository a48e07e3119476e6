import { existsSync, lstatSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { prepareDeployHost, type DeployHost, type Ended } from '../support/rig/deploy-host.ts'
import { productionPaths as paths } from '../support/rig/host.ts'
import { whyNoRig } from '../support/rig/programs.ts'
import { bootRig, packageInside, type Rig } from '../support/rig/rig.ts'

const why = whyNoRig()
if (why) console.warn(`Skipped, ${why}: what a build may not do to its host`)

/** A build that runs a shell script as the account of builds. Its own end is good, whatever the script could do. */
const building = (script: string) => ({
  config: { build: [{ name: 'evil', argv: ['sh', '-c', `${script}\nexit 0`] }] },
})

describe.skipIf(why !== null)('a build that tries to exceed its rights', () => {
  let rig: Rig
  let host: DeployHost
  beforeAll(async () => {
    rig = await bootRig({ say: console.warn })
    host = await prepareDeployHost(rig)
  })
  afterAll(async () => await rig.down())

  const passed = ({ result, triage }: Ended): void =>
    expect(result, JSON.stringify([triage, result.steps], null, 1)).toMatchObject({
      overall: 'PASS',
    })

  it('cannot replace the proof folder, although it owns the clone around it', async () => {
    await host.ship(
      'one',
      building(`cd ${paths.root} && touch mine && mv artifacts taken && mkdir -p artifacts/runs`),
    )
    const id = await host.begin('deploy_and_verify')
    passed(await host.outcome(id))
    expect([
      existsSync(rig.path(`${paths.root}/mine`)),
      existsSync(rig.path(`${paths.root}/taken`)),
    ]).toEqual([true, false])
    expect(host.log(id)).toContain('Device or resource busy')
    expect(lstatSync(rig.path(paths.artifacts)).uid).toBe(0)
  })

  it('cannot have a secret copied to where it may read it', async () => {
    const exclude = `${paths.root}/.git/info/exclude`
    await host.ship('two', building(`ln -sf ${paths.tokenFile} ${exclude}`))
    passed(await host.deploy())
    expect(lstatSync(rig.path(exclude)).isSymbolicLink()).toBe(true)
    await host.ship('three')
    await host.deploy()
    const seen = await rig.exec([
      'setpriv',
      '--reuid=openclaw-build',
      '--regid=openclaw-build',
      '--clear-groups',
      'cat',
      exclude,
    ])
    expect(seen.out).not.toContain(readFileSync(rig.path(paths.tokenFile), 'utf8').trim())
    await rig.must(['rm', '-f', exclude])
  })

  it('leaves no process behind that could change what was built', async () => {
    // The second one starts its next and ends, so that it is always ahead of a list of processes.
    const racer =
      `printf '#!/bin/sh\\necho racing >&9\\n[ -e stop ] || ./racer &\\n' > racer; chmod +x racer; ` +
      `exec 9>>race; setsid env -i PATH="$PATH" ./racer </dev/null >/dev/null 2>&1 & exec 9>&-;`
    const sha = await host.ship(
      'four',
      building(
        `${racer} setsid env -i sh -c 'exec 9>>late; for n in $(seq 1 6000); do sleep 0.1; ` +
          `date +%s%3N >&9; done' </dev/null >/dev/null 2>&1 & until [ -s late ] && [ -s race ]; ` +
          'do sleep 0.1; done',
      ),
    )
    const ended = await host.deploy()
    passed(ended)
    const { run, result } = ended
    // It wrote when it lived: while the build went on, and never again.
    const wrote = readFileSync(rig.path(`${paths.builds}/shop/${sha}/late`), 'utf8')
      .trim()
      .split('\n')
      .map(Number)
    const step = result.steps.find(({ name }) => name === 'console_build')
    const builtAt = Date.parse(step?.started_at ?? '') + (step?.duration_ms ?? 0)
    expect(Math.max(...wrote)).toBeLessThan(builtAt)
    expect(Date.parse(run.finished_at ?? '')).toBeGreaterThan(builtAt + 1000)
    expect(readFileSync(rig.path(`${paths.builds}/shop/${sha}/race`), 'utf8')).toContain('racing')
    expect((await rig.exec(['pgrep', '-u', 'openclaw-build'])).out).toBe('')
  })

  it('cannot have a file of the host read into a container by the compose file', async () => {
    const serves = await host.serves()
    await host.ship('env-file', { web: { env_file: [paths.tokenFile] } })
    const id = await host.begin('deploy_and_verify')
    const { result } = await host.outcome(id)
    expect([result.overall, result.error_class, result.step_failed]).toEqual([
      'FAIL',
      'docker_compose_failed',
      'docker_compose',
    ])
    expect(host.log(id)).toContain(`${paths.tokenFile}: permission denied`)
    expect([await host.serves(), host.log(id).includes(host.token())]).toEqual([serves, false])
  })

  it('cannot pass off other content as the reviewed commit', async () => {
    const forge =
      `const { rmSync, writeFileSync } = require('node:fs'); ` +
      `const text = require('node:zlib').deflateSync('blob 10\\0// forged\\n'); ` +
      `const id = require('node:child_process').execFileSync('git', ['-C', '${paths.root}', 'rev-parse', ` +
      `'HEAD:web/server.cjs'], { encoding: 'utf8' }).trim(); ` +
      `const file = '${paths.root}/.git/objects/' + id.slice(0, 2) + '/' + id.slice(2); rmSync(file); ` +
      'writeFileSync(file, text)'
    const good = await host.ship('five', {
      config: {
        build: [{ name: 'evil', argv: [`${packageInside}/node_modules/.bin/node`, '-e', forge] }],
      },
    })
    passed(await host.deploy())
    await host.ship('six')
    const { result } = await host.deploy()
    expect([result.overall, result.error_class, result.step_failed]).toEqual([
      'FAIL',
      'git_sync_failed',
      'console_build',
    ])
    expect(await host.serves()).toEqual({ ok: true, message: 'five', commit: good })
  })
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { members } from '#ops/base/process/process-tree'
import { nodeProgram } from '#ops/base/process/program'
import { checksResult } from '#shared/result'
import { until } from '../../../support/hostd.ts'
import { readReport } from '../../../support/junit.ts'
import { runProgram } from '../../../support/rig/programs.ts'

const hq = [nodeProgram(process.cwd()), join(process.cwd(), 'ops/hq.mjs')] as const

describe('hq selftest', () => {
  let folder: string
  let temp: string
  beforeAll(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'selftest-')))
    temp = join(folder, 'tmp')
    for (const each of [temp, join(folder, 'home'), join(folder, 'project')]) mkdirSync(each)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const workspaces = (): string[] =>
    readdirSync(temp).filter((name) => name.startsWith('openclaw-selftest-'))
  /** An environment that would redirect git and requests, if anything in it were used. */
  const env = () => ({
    PATH: process.env['PATH'] ?? '',
    HOME: join(folder, 'home'),
    TMPDIR: temp,
    OPENCLAW_ETC: join(folder, 'no-host'),
    CODEX_SKIP: '1',
    GIT_DIR: '/nowhere',
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'core.hooksPath',
    GIT_CONFIG_VALUE_0: '/dev/null',
    http_proxy: 'http://127.0.0.1:1',
  })

  it('sees every violation refused, removes what a killed self-test left, and leaves nothing', async () => {
    const [program, ...args] = hq
    const killed = spawn(
      program,
      [...args.map((each) => each.replace('hq.mjs', 'main.ts')), 'selftest'],
      { env: { ...env(), OPENCLAW_HQ_INSTALL: process.cwd() }, stdio: 'ignore' },
    )
    const left = await until(
      'a self-test with a hostd of its own',
      () =>
        workspaces()
          .map((name) => join(temp, name))
          .find((folder) => members({ marker: `OPENCLAW_SELFTEST=${folder}` }).length > 0),
      120,
    )
    const gone = once(killed, 'exit')
    killed.kill('SIGKILL')
    await gone

    const report = join(folder, 'project', 'reports', 'selftests.xml')
    const { code, out, err } = await runProgram(
      [...hq, 'selftest', '--junit', 'reports/selftests.xml', '--json'],
      { cwd: join(folder, 'project'), env: env(), seconds: 600 },
    )
    const document = checksResult.parse(JSON.parse(out))
    expect(document.checks.filter(({ status }) => status !== 'PASS')).toEqual([])
    expect([code, document.kind, document.overall, err]).toEqual([0, 'selftest', 'PASS', ''])
    expect(document.checks.length).toBeGreaterThan(100)
    expect(new Set(document.checks.map(({ name }) => name)).size).toBe(document.checks.length)
    expect(await readReport(readFileSync(report))).toMatchObject({
      passed: document.checks.length,
      failed: 0,
      skipped: 0,
    })

    expect(members({ marker: `OPENCLAW_SELFTEST=${left}` })).toEqual([])
    expect([
      workspaces(),
      readdirSync(temp),
      readdirSync(join(folder, 'home')),
      readdirSync(folder).includes('no-host'),
    ]).toEqual([[], [], [], false])
  }, 900_000)

  it('skips, naming what is missing, where a violation cannot be made', async () => {
    const bin = join(folder, 'bin')
    mkdirSync(bin)
    writeFileSync(join(bin, 'git'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
    const { code, out } = await runProgram(
      [...hq, 'selftest', '--junit', join(folder, 'no-git.xml'), '--json'],
      { env: { ...env(), PATH: bin }, seconds: 600 },
    )
    const document = checksResult.parse(JSON.parse(out))
    const skipped = document.checks.filter(({ status }) => status === 'SKIP')
    expect(skipped.map(({ name }) => name).toSorted()).toEqual([
      'change',
      'pull_only',
      'reviews',
      'ship',
    ])
    for (const { detail } of skipped) expect(detail).toContain('git cannot make a repository')
    expect([code, document.overall]).toEqual([0, 'PASS'])
    // A ship reads the report, and a skip in it is no pass.
    expect(await readReport(readFileSync(join(folder, 'no-git.xml')))).toMatchObject({
      failed: 0,
      skipped: 4,
    })
  }, 900_000)
})

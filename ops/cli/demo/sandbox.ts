import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import type { Enrolment, HostSettings, OperatorSettings, TrustFile } from '#shared/config'
import { commitId, timestamp } from '#shared/ids'
import type { TrustedKey } from '#shared/signature'
import { baseEnv, runCommand } from '#ops/base/process/command'
import { freePort } from '#ops/base/process/free-port'
import { git, gitText } from '#ops/platform/git/run-git'
import { readJson, writeJson, writeWhole } from '#ops/base/files/json-file'
import { toTrustedKey } from '#ops/core/trust/signing-key'
import { hostPaths, type HostPaths } from '#ops/base/paths/paths'
import { proofKey } from '#ops/core/proof/proof-key'
import { laptopProofPaths } from '#ops/base/paths/proof-paths'
import { operatorSettingsPath, readOperatorSettings } from '#ops/core/config/settings-files'
import { firstChange, sampleAppFiles, type SampleTestRunner } from './sample-app.ts'

const ports = z.strictObject({
  git: z.number(),
  hostd: z.number(),
  console: z.number(),
  app: z.number(),
  hq: z.number(),
  review: z.number(),
})

/** `<root>/sandbox.json`: written last, so that its presence means that the sandbox is complete. */
const sandboxFile = z.strictObject({
  schema_version: z.literal(1),
  created_at: timestamp,
  baseline: commitId,
  ports,
})

export interface Sandbox {
  readonly root: string
  readonly laptop: string
  readonly hqHome: string
  readonly host: HostPaths
  readonly ports: z.infer<typeof ports>
  readonly baseline: string
  readonly created: boolean
}

const baselineBranch = 'main'
/** The same address at every start: otherwise earlier verdicts would name a provider that is no longer accepted. */
export const scriptedReviewUrl = (port: number): string => `http://127.0.0.1:${port}/v1`

const defaultHqPort = 8790
export const scriptedProviderId = 'scripted'

interface SandboxPaths {
  readonly origin: string
  readonly laptop: string
  readonly hqHome: string
  readonly host: HostPaths
}

/** The paths below the one folder of the sandbox. */
function sandboxPaths(root: string): SandboxPaths {
  return {
    origin: join(root, 'git', 'sample-app.git'),
    laptop: join(root, 'laptop', 'sample-app'),
    hqHome: join(root, 'laptop', 'hq-home'),
    host: hostPaths({
      OPENCLAW_ROOT: join(root, 'host', 'app'),
      OPENCLAW_ETC: join(root, 'host', 'etc'),
      OPENCLAW_STATE: join(root, 'host', 'state'),
    }),
  }
}

export const gitDaemonFolder = (root: string): string => join(root, 'git')

/**
 * Makes the sandbox, or opens an existing one: origin, clones of laptop and host, settings of both sides, token,
 * and the ship key of the laptop, which the host trusts. Everything lies in `root`; deleting `root` removes all of
 * it.
 * @param scriptedReview accept the Responses API of the demo as a review provider; only these settings do
 */
export async function openSandbox(
  root: string,
  { scriptedReview }: { scriptedReview: boolean },
): Promise<Sandbox> {
  mkdirSync(root, { recursive: true })
  const where = sandboxPaths(realpathSync(root))
  const known = readJson(join(root, 'sandbox.json'), sandboxFile, 'config_invalid')
  const wanted = known?.ports
  // The ports of the last start where they are free, so that addresses stay the same.
  const chosen = {
    git: await freePort(wanted?.git),
    hostd: await freePort(wanted?.hostd),
    hq: await freePort(wanted?.hq ?? defaultHqPort),
    review: await freePort(wanted?.review),
    // Services of the last start may still use these two; the engine checks which process does.
    console: wanted?.console ?? (await freePort()),
    app: wanted?.app ?? (await freePort()),
  }
  const baseline = known?.baseline ?? (await makeRepositories(where, chosen.app))
  await cloneForHost(where, `git://127.0.0.1:${chosen.git}/sample-app.git`)
  const key = await proofKey(laptopProofPaths(where.hqHome, where.laptop))
  writeSettings(where, {
    baseline,
    shipKey: toTrustedKey(key),
    chosen,
    scriptedReview: scriptedReview ? scriptedReviewUrl(chosen.review) : null,
  })
  writeJson(join(root, 'sandbox.json'), {
    schema_version: 1,
    created_at: new Date().toISOString(),
    baseline,
    ports: chosen,
  } satisfies z.infer<typeof sandboxFile>)
  return {
    root: realpathSync(root),
    laptop: where.laptop,
    hqHome: where.hqHome,
    host: where.host,
    ports: chosen,
    baseline,
    created: known === undefined,
  }
}

async function testRunner(): Promise<SampleTestRunner> {
  try {
    const { exitCode } = await runCommand(['python3', '-c', 'import pytest'], {
      cwd: '/',
      env: baseEnv(),
      timeLimitSeconds: 20,
    })
    return exitCode === 0 ? 'pytest' : 'node'
  } catch {
    return 'node' // no python3 on this machine
  }
}

async function makeRepositories(
  { origin, laptop }: { origin: string; laptop: string },
  port: number,
): Promise<string> {
  mkdirSync(origin, { recursive: true })
  await gitText(origin, ['init', '--quiet', '--bare', `--initial-branch=${baselineBranch}`])
  if (!existsSync(join(laptop, '.git'))) {
    mkdirSync(laptop, { recursive: true })
    await gitText(laptop, ['init', '--quiet', `--initial-branch=${baselineBranch}`])
    await gitText(laptop, ['remote', 'add', 'origin', origin])
    // The commits of the demo need an author, even on a machine where git has none.
    await gitText(laptop, ['config', 'user.name', 'Demo operator'])
    await gitText(laptop, ['config', 'user.email', 'operator@localhost'])
  }
  const hasHead = await git(laptop, ['rev-parse', '--verify', '--quiet', 'HEAD'])
  if (hasHead.exitCode !== 0) {
    for (const [path, content] of Object.entries(
      sampleAppFiles({ testRunner: await testRunner(), port }),
    )) {
      mkdirSync(dirname(join(laptop, path)), { recursive: true })
      writeFileSync(join(laptop, path), content)
    }
    await gitText(laptop, ['add', '--all'])
    await gitText(laptop, ['commit', '--quiet', '--message', 'Sample app'])
  }
  await gitText(laptop, ['push', '--quiet', '--set-upstream', 'origin', baselineBranch])
  const baseline = await gitText(laptop, ['rev-parse', 'HEAD'])
  // A first change that waits to be shipped, so that Ship can be pressed at once.
  for (const [path, content] of Object.entries(firstChange))
    writeFileSync(join(laptop, path), content)
  await gitText(laptop, ['commit', '--quiet', '--all', '--message', 'Say what the page is for'])
  return baseline
}

/** Clones for the host. Its origin is the git daemon on loopback, which allows a fetch and refuses a push. */
async function cloneForHost(
  { origin, host }: { origin: string; host: HostPaths },
  url: string,
): Promise<void> {
  if (!existsSync(join(host.root, '.git'))) {
    mkdirSync(host.root, { recursive: true })
    await gitText(dirname(host.root), [
      'clone',
      '--quiet',
      '--branch',
      baselineBranch,
      origin,
      host.root,
    ])
    await gitText(host.root, ['config', 'user.name', 'Demo host'])
    await gitText(host.root, ['config', 'user.email', 'host@localhost'])
  }
  await gitText(host.root, ['remote', 'set-url', 'origin', url])
}

interface SandboxSettings {
  readonly baseline: string
  readonly shipKey: TrustedKey
  readonly chosen: z.infer<typeof ports>
  /** Address of the scripted review; null without one. */
  readonly scriptedReview: string | null
}

function writeSettings(
  { laptop, hqHome, host }: SandboxPaths,
  { baseline, shipKey, chosen, scriptedReview }: SandboxSettings,
): void {
  // Whatever the umask is: a token in a folder that others can write is not used.
  mkdirSync(dirname(host.tokenFile), { recursive: true, mode: 0o755 })
  if (!existsSync(host.tokenFile))
    writeWhole(host.tokenFile, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 })
  const openai = { id: 'openai', base_url: 'https://api.openai.com/v1' }
  const scripted =
    scriptedReview === null ? [] : [{ id: scriptedProviderId, base_url: scriptedReview }]

  writeJson(host.hostSettings, {
    schema_version: 1,
    name: 'aiops-1 (sandbox)',
    console_port: chosen.console,
    service_ports: { 'sample-app': chosen.app },
    deploy_backoff_seconds: 2,
  } satisfies Partial<HostSettings>)
  writeJson(host.trustFile, {
    schema_version: 1,
    baseline,
    review_providers: [openai, ...scripted],
    keys: [shipKey],
  } satisfies TrustFile)

  const before = readOperatorSettings(hqHome)
  const providers = [
    ...before.review.providers.filter(({ scripted: demo }) => !demo),
    ...scripted.map((provider) => ({
      ...provider,
      label: 'Scripted (demo)',
      env_key: null,
      scripted: true,
    })),
  ]
  const known = providers.some(({ id }) => id === before.review.provider)
  const unscripted = known ? before.review.provider : 'openai'
  const provider = scriptedReview === null ? unscripted : scriptedProviderId
  writeJson(
    operatorSettingsPath(hqHome),
    {
      ...before,
      repository: before.repository ?? laptop,
      baselines: { [realpathSync(laptop)]: baseline, ...before.baselines },
      review: { ...before.review, providers, provider },
    } satisfies OperatorSettings,
    { mode: 0o600 },
  )
}

/** Enrols the host of the sandbox. HQ stores the token in its keystore when it starts. */
export function enrol(hqHome: string, enrolment: Omit<Enrolment, 'schema_version'>): void {
  writeJson(
    join(hqHome, 'enrolment.json'),
    { schema_version: 1, ...enrolment } satisfies Enrolment,
    { mode: 0o600 },
  )
}

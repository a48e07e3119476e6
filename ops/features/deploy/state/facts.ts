// What one attempt of a deploy works with: the host, which does not change, and the facts its steps add.
import type { Deployed } from '#shared/deployed'
import type { HostSettings, ProjectConfig } from '#shared/config'
import type { ChecksResult, DodResult } from '#shared/result'
import { wholeEnvironment } from '#ops/base/env'
import { hostPaths, type HostPaths } from '#ops/base/paths/paths'
import { doctorContext } from '#ops/core/checks/context'
import {
  passedHostFiles,
  readHostFiles,
  settingsOf,
  type HostFiles,
} from '#ops/core/config/host-files'
import type { Build, Target, UpReport } from '#ops/host/engines/common/engine'

/** What does not change during one attempt. */
export interface DeployHost {
  readonly paths: HostPaths
  readonly settings: HostSettings
  /** The files that `settings` and the trusted keys come from, as they were when the deploy started. */
  readonly files: HostFiles
  readonly runId: string
  readonly hostdUrl: string
  readonly hostdPort: number
  readonly consoleUrl: string
  /** Commit that is rolled back to; null deploys what origin has. */
  readonly rollbackTo: string | null
}

/**
 * The host as this deploy sees it. host.json and the trust file are read here, once: an attempt uses what its deploy
 * read, so that an edit during a deploy counts for the next one. The doctor of the Definition of Done is a run of hostd
 * and reads the files itself.
 * @param options `attempt`: this process is an attempt of a deploy
 * @throws {Problem} `config_invalid` when host.json is damaged
 */
export function deployHost(
  runId: string,
  { rollbackTo = null, attempt = false }: { rollbackTo?: string | null; attempt?: boolean } = {},
): DeployHost {
  const files = (attempt ? passedHostFiles() : null) ?? readHostFiles(hostPaths())
  const { paths, settings, hostdUrl, hostdPort, consoleUrl } = doctorContext(
    runId,
    wholeEnvironment(),
    settingsOf(files, hostPaths()),
  )
  return { paths, settings, files, runId, hostdUrl, hostdPort, consoleUrl, rollbackTo }
}

/** What the steps of one attempt find out. A step returns new facts and never changes one. */
export interface DeployFacts {
  readonly git_head: string | null
  readonly git_tree: string | null
  readonly target_sha: string | null
  /** What origin's branch was when it was fetched. */
  readonly origin_sha: string | null
  readonly previous_sha: string | null
  readonly engine: ProjectConfig['engine'] | null
  readonly unanswered_ms: number | null
  /** Why the commit was accepted. */
  readonly trusted: Pick<Deployed, 'baseline' | 'trust_sha256' | 'reviews'> | null
  /** The configuration of the target, with the exceptions that count already. */
  readonly config: ProjectConfig | null
  /** That of the version that was green last, whose checks run too; null: a first deploy, or a rollback. */
  readonly configBefore: ProjectConfig | null
  /** Folder of the installed HQ whose console is shown. */
  readonly installed: string | null
  readonly target: Target | null
  readonly build: Build | null
  readonly up: UpReport | null
  readonly guard: ChecksResult | null
  readonly dod: DodResult | null
  readonly doctor: {
    readonly run_id: string
    readonly overall: 'PASS' | 'FAIL'
    readonly finished_at: string
  } | null
}

export const noFacts: DeployFacts = {
  git_head: null,
  git_tree: null,
  target_sha: null,
  origin_sha: null,
  previous_sha: null,
  engine: null,
  unanswered_ms: null,
  trusted: null,
  config: null,
  configBefore: null,
  installed: null,
  target: null,
  build: null,
  up: null,
  guard: null,
  dod: null,
  doctor: null,
}

/** A fact that an earlier step must have left. @throws {TypeError} when the steps are out of order */
export function requireFact<K extends keyof DeployFacts>(
  facts: Readonly<DeployFacts>,
  name: K,
): NonNullable<DeployFacts[K]> {
  const value = facts[name]
  if (value === null) throw new TypeError(`the fact ${name} is missing: a step ran out of order`)
  return value
}

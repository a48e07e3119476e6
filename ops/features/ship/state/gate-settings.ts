// The settings that decide whether a commit may be shipped: those of its base, not those that it brings.
import { isDeepStrictEqual } from 'node:util'
import type { ProjectConfig } from '#shared/config'
import { Problem } from '#shared/errors'
import { shortCommit } from '#shared/ids'
import { readBlob } from '#ops/platform/git/objects'
import type { GitOptions } from '#ops/platform/git/run-git'
import type { Change } from './change.ts'
import { alteredGates } from './gate-fields.ts'
import { parseProjectConfig, projectConfigName } from '#ops/core/config/settings-files'

export type TestSuite = ProjectConfig['tests'][number]

export interface GateSettings {
  readonly project: string
  readonly branch: string
  readonly review: ProjectConfig['review']
  readonly suites: readonly TestSuite[]
  /** Files that a repair of until-green is not expected to touch. */
  readonly protectedPaths: readonly string[]
  /** What the change alters in its own gates, as text; part of the verdict. */
  readonly changed: readonly string[]
}

/**
 * The configuration of one commit; null when the commit has no such file.
 * @throws {Problem} `config_invalid`, naming the field
 */
export async function configAt(
  repo: string,
  commit: string,
  options: GitOptions,
): Promise<ProjectConfig | null> {
  const origin = `${commit}:${projectConfigName}`
  const text = await readBlob(repo, origin, { ...options, tooLarge: 'config_invalid' })
  return text === null
    ? null
    : parseProjectConfig(text, `${projectConfigName} of ${shortCommit(commit)}`)
}

export const missingConfig = (commit: string): string =>
  `The commit ${shortCommit(commit)} has no ${projectConfigName}.`

/** @throws {Problem} `config_missing`, `config_invalid` */
export async function configOfHead(
  repo: string,
  head: string,
  options: GitOptions,
): Promise<ProjectConfig> {
  const config = await configAt(repo, head, options)
  if (!config) throw new Problem('config_missing', `${missingConfig(head)} Nothing was changed.`)
  return config
}

/**
 * A change is judged by the gates of its base, not by the ones it brings. Branch, review limits, time limits and
 * allowed skips are the base's. Test suites add up: every suite of the base runs as the base defines it, also one that
 * the change alters or removes; a suite that is new in the change, or whose command it alters, runs as well. So
 * loosening a gate takes two ships: the first, reviewed, changes the setting; the next one is judged by it.
 *
 * @param base null when the base commit has no readable configuration: then the change's own is used, and the verdict
 *   says so
 */
export function gateSettings(base: ProjectConfig | null, head: ProjectConfig): GateSettings {
  if (!base)
    return {
      project: head.project,
      branch: head.branch,
      review: head.review,
      suites: head.tests,
      protectedPaths: head.protected_paths,
      changed: [
        `${projectConfigName}: the base commit has no valid file, so the settings of the change apply`,
      ],
    }
  const { suites, changed } = mergeSuites(base.tests, head.tests)
  return {
    project: base.project,
    branch: base.branch,
    review: base.review,
    suites,
    protectedPaths: base.protected_paths,
    changed: [...alteredGates(base, head), ...changed],
  }
}

/** All suites of the base, and those of the change that are new or have another command. */
function mergeSuites(
  base: readonly TestSuite[],
  head: readonly TestSuite[],
): Pick<GateSettings, 'suites' | 'changed'> {
  const suites: TestSuite[] = [...base]
  const changed: string[] = []
  for (const suite of base) {
    const now = head.find(({ name }) => name === suite.name)
    if (!now) changed.push(`tests.${suite.name}: removed`)
    else if (!isDeepStrictEqual(now, suite)) {
      changed.push(`tests.${suite.name}: altered`)
      // Judged by the base's time limit and allowed skips.
      if (!isDeepStrictEqual(commandOf(now), commandOf(suite)))
        suites.push({
          ...suite,
          ...now,
          timeout_seconds: suite.timeout_seconds,
          allowed_skips: suite.allowed_skips,
          name: `${suite.name}-altered`,
        })
    }
  }
  for (const suite of head) {
    if (base.some(({ name }) => name === suite.name)) continue
    changed.push(`tests.${suite.name}: added`)
    suites.push(suite)
  }
  return { suites, changed }
}

const commandOf = ({ prepare, argv, report }: TestSuite): unknown => ({ prepare, argv, report })

/**
 * The gates of a repair: those that refused its change, whatever the repair does to them, and every suite that it adds
 * or alters. A base without a configuration, or without a suite that the change brings, does not weaken them.
 * @param refused the gates of the commit that is repaired
 */
export function gatesOfRepair(refused: GateSettings, repaired: GateSettings): GateSettings {
  const has = (suites: readonly TestSuite[], suite: TestSuite): boolean =>
    suites.some((each) => isDeepStrictEqual(each, suite))
  const lost = refused.suites.filter((suite) => !has(repaired.suites, suite))
  const more = repaired.suites
    .filter((suite) => !has(refused.suites, suite))
    .map((suite) =>
      refused.suites.some(({ name }) => name === suite.name)
        ? { ...suite, name: `${suite.name}-repaired` }
        : suite,
    )
  return {
    ...refused,
    suites: [...refused.suites, ...more],
    changed: [
      ...new Set([
        ...refused.changed,
        ...repaired.changed,
        ...lost.map(
          ({ name }) =>
            `tests.${name}: altered or removed by an automatic repair; the original suite was run`,
        ),
      ]),
    ],
  }
}

/** Reads both commits. @throws {Problem} `config_invalid` for the head's */
export async function gateSettingsOf(
  { repo, base, head }: Change,
  options: GitOptions,
): Promise<GateSettings> {
  const headConfig = await configOfHead(repo, head, options)
  let baseConfig: ProjectConfig | null
  try {
    baseConfig = await configAt(repo, base, options)
  } catch (error) {
    if (!(error instanceof Problem) || error.errorClass !== 'config_invalid') throw error
    baseConfig = null // a base that nobody can repair must not stop every change; verdict and reviewer see it
  }
  return gateSettings(baseConfig, headConfig)
}

import { readHostFiles } from '#ops/core/config/host-files'
import type { TrustFile } from '#shared/config'
import { syncToRemote } from '#ops/features/deploy/index'
import { writeJson } from '#ops/base/files/json-file'
import { toTrustedKey } from '#ops/core/trust/signing-key'
import { hostPaths } from '#ops/base/paths/paths'
import { inspectHazards } from '#ops/features/ship/index'
import { attempting, once, type ViolationGroup, type Violation } from './violation.ts'
import { branch, provider, type CommitName, type Repositories } from './repositories.ts'

const cases: readonly [name: CommitName, what: string, expected: string][] = [
  ['unreviewed', 'an unreviewed commit', 'unreviewed_commit'],
  ['laundered', 'an unreviewed commit with a reviewed one shipped on top', 'unreviewed_commit'],
  ['edited', 'a verdict that was edited after it was signed', 'verdict_signature_invalid'],
  ['foreign_key', 'a verdict signed with a key that is not enrolled', 'verdict_signature_invalid'],
  ['unsigned', 'a verdict without a signature', 'verdict_signature_invalid'],
  ['contradicted', 'a verdict beside a statement that says something else', 'statement_mismatch'],
  ['other_repository', 'the verdict of another repository', 'verdict_mismatch'],
  ['other_provider', 'a verdict by a provider that is not accepted', 'provider_not_accepted'],
  ['other_history', 'main replaced by another history', 'unreviewed_commit'],
  ['root', 'main set back behind the baseline', 'unreviewed_commit'],
]

/** Commits that git_sync of a deploy must not check out. @param made the repositories, shared with other groups */
export const chainViolations = (made: () => Promise<Repositories>): ViolationGroup => ({
  name: 'reviews',
  guard: 'The review chain of git_sync',
  prepare: async (workspace, signal) => {
    const { origin, id, key, git } = await made()
    const paths = hostPaths({
      OPENCLAW_ROOT: workspace.sub('reviews', 'root'),
      OPENCLAW_ETC: workspace.sub('reviews', 'etc'),
      OPENCLAW_STATE: workspace.sub('reviews', 'state'),
    })
    await git(paths.root, ['init', '--quiet', '--template=', `--initial-branch=${branch}`])
    await git(paths.root, ['remote', 'add', 'origin', origin])
    writeJson(paths.trustFile, {
      schema_version: 1,
      baseline: id('baseline'),
      review_providers: [provider],
      keys: [toTrustedKey(key)],
    } satisfies TrustFile)
    const synced = (name: CommitName) =>
      attempting(async () => {
        const host = { paths, files: readHostFiles(paths), rollbackTo: null }
        const { sha } = await syncToRemote(host, name, { signal, log: () => undefined })
        return `the clone was reset to ${sha}`
      })
    const control = once(synced(branch))
    return {
      violations: cases.map(([name, what, expected]): Violation => ({
        name,
        what,
        expected,
        control,
        attempt: synced(name),
      })),
    }
  },
})

const hazards: readonly [name: CommitName, what: string, expected: string][] = [
  ['link', 'a link that leads out of the repository', 'link_outside'],
  ['submodule', 'a submodule, whose content no diff shows', 'submodule_refused'],
  ['turned_text', 'characters that reverse the reading order', 'hidden_characters'],
  ['git_folder', "a path that is git's own folder elsewhere", 'unsafe_path'],
]

/** Hazards of a change that no diff shows. */
export const hazardViolations = (made: () => Promise<Repositories>): ViolationGroup => ({
  name: 'change',
  guard: 'The check for hazards in a change',
  prepare: async (_place, signal) => {
    const { origin, id } = await made()
    const inspected = (name: CommitName) =>
      attempting(async () => {
        await inspectHazards({ repo: origin, base: id(branch), head: id(name) }, { signal })
      })
    const control = once(inspected('change'))
    return {
      violations: hazards.map(([name, what, expected]): Violation => ({
        name,
        what: what,
        expected,
        control,
        attempt: inspected(name),
      })),
    }
  },
})

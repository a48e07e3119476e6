import { readHostFiles } from '#ops/core/config/host-files'
import type { TrustFile } from '#shared/config'
import { syncToRemote } from '#ops/features/deploy/index'
import { writeJson } from '#ops/base/files/json-file'
import { toTrustedKey } from '#ops/core/trust/signing-key'
import { hostPaths } from '#ops/base/paths/paths'
import { lookForHazards } from '#ops/features/ship/index'
import { attempt, once, type Group, type Plant } from './violation.ts'
import { branch, provider, type CommitName, type Repositories } from './repositories.ts'

const planted: readonly [name: CommitName, what: string, expected: string][] = [
  ['unreviewed', 'an unreviewed commit', 'unreviewed_commit'],
  ['laundered', 'an unreviewed commit with a reviewed one shipped on top', 'unreviewed_commit'],
  ['edited', 'a verdict that was edited after it was signed', 'verdict_signature_invalid'],
  ['foreign_key', 'a verdict signed with a key that is not enrolled', 'verdict_signature_invalid'],
  ['unsigned', 'a verdict without a signature', 'verdict_signature_invalid'],
  ['other_repository', 'the verdict of another repository', 'verdict_mismatch'],
  ['other_provider', 'a verdict by a provider that is not accepted', 'provider_not_accepted'],
  ['other_history', 'main replaced by another history', 'unreviewed_commit'],
  ['root', 'main set back behind the baseline', 'unreviewed_commit'],
]

/** What git_sync of a deploy resets a clone to. @param made the repositories, shared with other groups */
export const chainPlants = (made: () => Promise<Repositories>): Group => ({
  name: 'reviews',
  guard: 'The review chain of git_sync',
  make: async (place, signal) => {
    const { origin, id, key, git } = await made()
    const paths = hostPaths({
      OPENCLAW_ROOT: place.sub('reviews', 'root'),
      OPENCLAW_ETC: place.sub('reviews', 'etc'),
      OPENCLAW_STATE: place.sub('reviews', 'state'),
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
      attempt(
        async () =>
          `the clone was reset to ${(await syncToRemote({ paths, files: readHostFiles(paths), rollbackTo: null }, name, { signal, log: () => undefined })).sha}`,
      )
    const control = once(synced(branch))
    return {
      plants: planted.map(([name, what, expected]): Plant => ({
        name,
        planted: what,
        expected,
        control,
        plant: synced(name),
      })),
    }
  },
})

const hazards: readonly [name: CommitName, what: string, expected: string][] = [
  ['link', 'a link that leads out of the tree', 'link_outside'],
  ['submodule', 'a submodule, whose content is in no diff', 'submodule_refused'],
  ['turned_text', 'characters that turn the order of reading round', 'hidden_characters'],
  ['git_folder', "a path that is git's own folder elsewhere", 'unsafe_path'],
]

/** What a change may hold that no diff shows. */
export const hazardPlants = (made: () => Promise<Repositories>): Group => ({
  name: 'change',
  guard: 'The look at what a change holds',
  make: async (_place, signal) => {
    const { origin, id } = await made()
    const looked = (name: CommitName) =>
      attempt(async () => {
        await lookForHazards(origin, id(branch), id(name), { signal })
      })
    const control = once(looked('change'))
    return {
      plants: hazards.map(([name, what, expected]): Plant => ({
        name,
        planted: what,
        expected,
        control,
        plant: looked(name),
      })),
    }
  },
})

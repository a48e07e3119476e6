import { hostdPaths } from '#shared/hostd-paths'
import { basename } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import {
  maxListedProblems,
  proofBundlesQuery,
  proofBundlesReply,
  proofChainQuery,
  proofChainReply,
} from '#shared/api'
import { bundleKinds, type BundleVerification } from '#shared/proof'
import { trustedKey } from '#shared/signature'
import { chainReader } from '#ops/core/proof/chain-report'
import { hostProofPaths } from '#ops/base/paths/proof-paths'
import { kindOf } from '#ops/core/proof/verify-bundle'
import { bundleFolders, hostKinds } from '#ops/core/proof/verify-chain'
import type { Deps } from '../http/deps.ts'
import type { Documents } from '../runs/documents.ts'
import { mount } from '../http/mount.ts'
import type { CheckBundle } from '../runs/verified.ts'

const defaultLimit = 30

/** The chain of this host for a witness, and what this host finds when it reads its bundles. */
export function proofRoutes(
  app: FastifyInstance,
  { paths, docs, check }: Pick<Deps, 'paths'> & { docs: Documents; check: CheckBundle },
): void {
  const { chainFile, publicKeyFile } = hostProofPaths(paths)
  const readChain = chainReader(paths.artifacts, chainFile, hostKinds)
  mount(app, {
    method: 'GET',
    url: hostdPaths.proofChain,
    summary: 'The proof chain of this host, for a witness',
    query: proofChainQuery,
    replies: { 200: proofChainReply },
    handle: async ({ query: { after = 0 } }) => ({
      ok: true as const,
      key: docs.read(publicKeyFile, trustedKey),
      report: await readChain(after),
    }),
  })
  mount(app, {
    method: 'GET',
    url: hostdPaths.proofBundles,
    summary: 'Proof bundles and what their check finds, newest first',
    query: proofBundlesQuery,
    replies: { 200: proofBundlesReply },
    handle: async ({ query: { cursor, limit = defaultLimit, kind } }) => {
      const folders = bundleFolders(paths.artifacts, kind === undefined ? bundleKinds : [kind])
        .toReversed()
        .filter((dir) => cursor === undefined || basename(dir) < cursor)
      // Bundles of one run id stay on one page, so that the id alone says where to go on.
      let end = Math.min(limit, folders.length)
      while (
        end < folders.length &&
        basename(folders[end] ?? '') === basename(folders[end - 1] ?? '')
      )
        end += 1
      const bundles: BundleVerification[] = []
      for (const dir of folders.slice(0, end)) {
        const of = kindOf(dir)
        if (of === null) continue
        const { problems, ...checked } = await check(of, basename(dir))
        bundles.push({ ...checked, problems: problems.slice(0, maxListedProblems) })
        await turn() // others are answered between two bundles
      }
      return {
        ok: true as const,
        bundles,
        next_cursor: end < folders.length ? basename(folders[end - 1] ?? '') : null,
      }
    },
  })
}

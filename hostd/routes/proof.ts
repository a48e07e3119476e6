import { hostdPaths } from '#shared/hostd-paths'
import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import {
  maxListedProblems,
  proofBundlesQuery,
  proofBundlesReply,
  proofChainQuery,
  proofChainReply,
  proofExportQuery,
  proofExportReply,
} from '#shared/api'
import { Problem } from '#shared/errors'
import { bundleKinds, type BundleVerification } from '#shared/proof'
import { trustedKey } from '#shared/signature'
import { chainReader } from '#ops/core/proof/chain-report'
import { hostProofPaths } from '#ops/base/paths/proof-paths'
import { ExportLines } from '#ops/core/proof/export-lines'
import { kindOf } from '#ops/core/proof/verify-bundle'
import { bundleFolders, hostKinds } from '#ops/core/proof/verify-chain'
import type { Deps } from '../http/deps.ts'
import type { Documents } from '../runs/documents.ts'
import { mount } from '../http/mount.ts'
import type { CheckBundle, KeysOf } from '../runs/verified.ts'

const defaultLimit = 30

interface Known {
  readonly docs: Documents
  readonly check: CheckBundle
}

/** The chain of this host for a witness, and what this host finds when it reads its bundles. */
export function proofRoutes(
  app: FastifyInstance,
  { keysOf, ...deps }: Pick<Deps, 'paths'> & Known & { readonly keysOf: KeysOf },
): void {
  const { paths, docs } = deps
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
    url: hostdPaths.proofExport,
    summary: 'The statements of one bundle, in one text',
    query: proofExportQuery,
    replies: { 200: proofExportReply },
    handle: async ({ query: { kind, run_id } }) => {
      const dir = join(paths.artifacts, kind, run_id)
      if (!existsSync(dir))
        throw new Problem('not_found', `This host has no files of ${kind} ${run_id}.`)
      const lines = new ExportLines()
      await lines.addBundle(dir, keysOf(kind))
      const { text, statements } = lines.finish()
      return { ok: true as const, text, statements: [...statements] }
    },
  })
  bundlesRoute(app, deps)
}

function bundlesRoute(app: FastifyInstance, { paths, check }: Pick<Deps, 'paths'> & Known): void {
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

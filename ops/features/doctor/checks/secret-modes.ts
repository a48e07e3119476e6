import { hasCode } from '#shared/system-error'
import type { Stats } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  connectorFileRule,
  connectorFolderRule,
  octal,
  wrongWith,
  type FileRule,
} from '#ops/base/files/file-rule'
import { connectorSecrets, secretsFolder } from '#ops/base/paths/connector-paths'
import type { HostPaths } from '#ops/base/paths/paths'
import { hostProofPaths } from '#ops/base/paths/proof-paths'
import { fail, pass, warn } from '#ops/core/checks/check'
import type { HostCheck } from '#ops/core/checks/host-check'
import { readAdminToken } from '#ops/core/config/admin-token'
import { isBeforeFirstDeploy } from '../facts/deploys.ts'

export const secretModes: HostCheck = {
  name: 'secret_modes',
  title: 'Secrets',
  description: 'Only the accounts that must can read a secret or change what the host trusts.',
  remedies: ['protect_secrets', 'finish_host'],
  run: async (context) => {
    const { paths, settings } = context
    const strict = settings.launcher === 'systemd'
    const early = isBeforeFirstDeploy(context)
    const seen: string[] = []
    const wrong: string[] = []
    for (const rule of [...rulesOf(paths), ...(await connectorRules(connectorSecrets(paths)))]) {
      const at = await statOrNull(rule.path)
      if (at === null) {
        if (rule.optional !== true && !(rule.path === paths.trustFile && early))
          wrong.push(`${rule.path} is missing`)
        continue
      }
      const why = wrongWith(rule, at, strict)
      if (why !== null) wrong.push(why)
      seen.push(`${rule.path} ${octal(at.mode)}`)
    }
    if (wrong.length > 0) return fail(`${wrong.join('; ')}.`, 'protect_secrets')
    readAdminToken(paths.tokenFile) // it throws for everything else that hostd refuses
    const checked = `${seen.length} files and folders${strict ? ', owners too' : ''}`
    const detail = `${checked}: ${seen.join(', ')}`
    if ((await statOrNull(paths.trustFile)) === null)
      return warn(
        `${detail}; ${paths.trustFile} does not exist yet, so nothing can be deployed: ` +
          'it names the baseline commit and the accepted review providers',
        'finish_host',
      )
    return pass(detail)
  },
}

async function statOrNull(path: string): Promise<Stats | null> {
  try {
    return await lstat(path)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
}

function rulesOf(paths: HostPaths): FileRule[] {
  const { keyFile } = hostProofPaths(paths)
  return [
    { path: paths.etc, kind: 'folder', forbidden: 0o022, exact: { mode: 0o755, uid: 0 } },
    {
      path: secretsFolder(paths),
      kind: 'folder',
      forbidden: 0o022,
      exact: { mode: 0o751, uid: 0 },
    },
    { path: paths.tokenFile, kind: 'file', forbidden: 0o027, exact: { mode: 0o640, uid: 0 } },
    { path: paths.trustFile, kind: 'file', forbidden: 0o022 },
    { path: paths.shipKeysFile, kind: 'file', forbidden: 0o022, optional: true },
    { path: paths.hostSettings, kind: 'file', forbidden: 0o022, optional: true },
    {
      path: dirname(keyFile),
      kind: 'folder',
      forbidden: 0o077,
      exact: { mode: 0o700, uid: 0 },
      optional: true,
    },
    {
      path: keyFile,
      kind: 'file',
      forbidden: 0o077,
      exact: { mode: 0o600, uid: 0 },
      optional: true,
    },
  ]
}

/** The folder of the connector secrets and every file in it. */
async function connectorRules(folder: string): Promise<FileRule[]> {
  const at = await statOrNull(folder)
  if (at === null) return []
  const rules: FileRule[] = [connectorFolderRule(folder)]
  if (!at.isDirectory()) return rules
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const { exact, ...rule } = connectorFileRule(join(folder, entry.name))
    // A secret that is being written: it gets its owner before its first byte, and its name after the last.
    const isWritten = entry.name.startsWith('.') && entry.name.endsWith('.tmp')
    rules.push(isWritten || exact === undefined ? { ...rule, optional: true } : { ...rule, exact })
  }
  return rules
}

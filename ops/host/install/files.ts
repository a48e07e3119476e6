// The files of a host: token, deploy key, settings.
import { randomBytes } from 'node:crypto'
import { chmodSync, chownSync, existsSync, lstatSync, readFileSync } from 'node:fs'
import { hostSettings } from '#shared/config'
import { z } from 'zod'
import { readJson, writeJson, writeWhole } from '#ops/base/files/json-file'
import type { HostPaths } from '#ops/base/paths/paths'
import { proofKey } from '#ops/core/proof/proof-key'
import { hostProofPaths } from '#ops/base/paths/proof-paths'
import type { Account } from '#ops/platform/accounts/account'
import type { Change } from '#ops/platform/accounts/change'

const tokenMode = 0o640
const tokenBytes = 32

/** The admin token is made once and never shown. A host that has one keeps it; an empty file counts as no token. */
export function tokenChanges({ tokenFile }: HostPaths, hostd: Account): Change[] {
  const setOwner = (): void => {
    chownSync(tokenFile, 0, hostd.gid)
    chmodSync(tokenFile, tokenMode)
  }
  return [
    {
      did: `made an admin token in ${tokenFile}`,
      due: () => !existsSync(tokenFile) || readFileSync(tokenFile, 'utf8').trim() === '',
      apply: () => {
        writeWhole(tokenFile, `${randomBytes(tokenBytes).toString('hex')}\n`, { mode: 0o600 })
        setOwner()
      },
    },
    {
      did: `set the owner and mode of ${tokenFile}`,
      due: () => {
        const { mode, uid, gid } = lstatSync(tokenFile)
        return (mode & 0o7777) !== tokenMode || uid !== 0 || gid !== hostd.gid
      },
      apply: setOwner,
    },
  ]
}

/** The deploy key is made here, because a run may not write below the settings. A host that has one keeps it. */
export function deployKeyChange(paths: HostPaths): Change {
  const key = hostProofPaths(paths)
  return {
    did: `made a deploy key; its public half is ${key.publicKeyFile}`,
    due: () => !existsSync(key.keyFile) || !existsSync(key.publicKeyFile),
    apply: async () => {
      await proofKey(key)
    },
  }
}

/** Runs are units, and the timers are systemd's. Everything else in the file stays. */
export function settingsChange(paths: HostPaths): Change {
  const wanted = { launcher: 'systemd', timers: 'systemd' } as const
  const now = () => readJson(paths.hostSettings, hostSettings, 'config_invalid')
  return {
    did: `set the launcher and timers in ${paths.hostSettings}`,
    due: () => {
      const found = now()
      return found?.launcher !== wanted.launcher || found.timers !== wanted.timers
    },
    apply: () => {
      now() // throws when the file does not match its schema
      writeJson(paths.hostSettings, {
        schema_version: 1,
        ...readJson(paths.hostSettings, z.looseObject({}), 'config_invalid'),
        ...wanted,
      })
    },
  }
}

/** A file with exactly this content. */
export const fileChange = (path: string, content: string): Change => ({
  did: `wrote ${path}`,
  about: path,
  due: () => !existsSync(path) || readFileSync(path, 'utf8') !== content,
  apply: () => writeWhole(path, content),
})

// Paths of the host that a compose file names: links followed, then judged.
import { relative } from 'node:path'
import { messageOf } from '#shared/system-error'
import {
  isForContainers,
  isInside,
  judgeMount,
  type MountFinding,
  type MountRules,
} from '#ops/platform/net/host-mounts'
import type { Report, ServiceCase, Source } from './rule.ts'

export interface SourceOptions {
  /** Folder of the version; undefined: not known, then every folder may be built from. */
  readonly folder: string | undefined
  readonly mounts: MountRules
  /** @throws {Error} when the links of a path cannot be followed */
  readonly resolvePath: (path: string) => string
}

type Judges = Pick<ServiceCase, 'judgeSource' | 'judgeBuildSource'>

/** Only a folder for data, proof to read, or part of the version is allowed; everything else of the host is not. */
function whyNot(path: string, readOnly: boolean, mounts: MountRules): MountFinding | null {
  const found = judgeMount(path, readOnly, mounts)
  if (found !== null || isForContainers(path, readOnly, mounts)) return found
  return { code: 'host_mount', why: `mounts ${path}, which is not a folder for data of services` }
}

/** The judges of paths that report to `report`. */
export function sourceJudges(
  { folder, mounts, resolvePath }: SourceOptions,
  report: Report,
): Judges {
  /** The real path; null, with a report, when there is none. */
  const resolved = (path: string, at: string): string | null => {
    try {
      return resolvePath(path)
    } catch (error) {
      const detail = `names ${path}, whose links cannot be followed: ${messageOf(error)}`
      report({ code: 'host_mount', at, subject: path, detail })
      return null
    }
  }
  /** What is written there is not in the folder of the next version, and goes with the folder of this one. */
  const judgeWritten = (path: string, real: string, at: string): void => {
    if (folder === undefined) return
    const folders = [folder, resolvePath(folder)]
    const within = folders.find((each) => isInside(real, each) || isInside(path, each))
    if (within === undefined) return
    const inside = relative(within, isInside(real, within) ? real : path)
    const subject = `./${inside}`
    report({
      code: 'data_in_version',
      at,
      subject,
      detail: `writes to ${subject} of this version, and the next version would not have what is written there`,
    })
  }
  const judgeSource = ({ path, readOnly, at }: Source): void => {
    const first = whyNot(path, readOnly, mounts)
    const real = first === null ? resolved(path, at) : path
    if (real === null) return
    const found = first ?? (real === path ? null : whyNot(real, readOnly, mounts))
    if (found === null) {
      if (!readOnly) judgeWritten(path, real, at)
      return
    }
    const detail = real === path ? found.why : `${found.why} (${path} is a link to it)`
    report({ code: found.code, at, subject: path, detail })
  }
  const judgeBuildSource = ({ path, at }: Omit<Source, 'readOnly'>): void => {
    const real = resolved(path, at)
    if (real === null) return
    if (folder !== undefined && isInside(real, resolvePath(folder))) return
    const found = judgeMount(path, true, mounts) ?? judgeMount(real, true, mounts)
    if (found) report({ code: found.code, at, subject: path, detail: found.why })
    else if (folder !== undefined)
      report({
        code: 'unreviewed_source',
        at,
        subject: path,
        detail: `is built from ${path}, which is not part of the reviewed commit`,
      })
  }
  return { judgeSource, judgeBuildSource }
}

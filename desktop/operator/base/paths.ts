import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { hqHome } from '#ops/base/paths/paths'
import { installRoot } from '#ops/base/process/program'

/** Where this HQ is installed and keeps its files, for the programs that start an operator. */
export interface OperatorPaths {
  /** `$OPENCLAW_HQ_HOME` */
  readonly home: string
  readonly version: string
  /** Folder of the built page. */
  readonly page: string
}

const packageFile = z.looseObject({ version: z.string() })

/** @throws {Error} when HQ was not started by its launcher, or its package.json cannot be read */
export function operatorPaths(): OperatorPaths {
  const root = installRoot()
  const { version } = packageFile.parse(
    JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')),
  )
  return { home: hqHome(), version, page: join(root, 'out', 'renderer') }
}

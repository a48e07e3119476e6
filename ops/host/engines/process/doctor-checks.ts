// Doctor's check of the process engine: what services wrote where no later version finds it.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pass, skip, warn } from '#ops/core/checks/check'
import type { HostCheck } from '#ops/core/checks/host-check'
import { readRecords } from '#ops/core/host-state/service-record'
import { goesAt, keptFolders, writtenFiles } from '#ops/host/engines/common/written-files'

const day = (time: number): string => new Date(time).toISOString().slice(0, 10)

export const serviceData: HostCheck = {
  name: 'service_data',
  title: 'Data beside the code',
  description: 'No service of the engine process wrote into the folder of its version.',
  remedies: ['move_service_data'],
  run: ({ paths }) => {
    const running = readRecords(paths).filter(({ kind }) => kind === 'project')
    const kept = projectFolders(paths.builds).flatMap(keptFolders)
    if (running.length === 0 && kept.length === 0)
      return skip('No service of the engine process was started yet.')
    const releases = [...new Set(running.map(({ release }) => release))].filter((each) =>
      existsSync(each),
    )
    const found = [
      ...releases.flatMap((folder) => {
        const [first, ...more] = writtenFiles(folder) ?? []
        if (first === undefined) return []
        const files = more.length === 0 ? first : `${first} and ${more.length} more`
        return [`services wrote ${files} into ${folder}: the next version starts without it`]
      }),
      ...kept
        .filter(({ folder }) => !releases.includes(folder))
        .map(
          (each) =>
            `${each.folder} is kept for what services wrote into it, at least until ${day(goesAt(each))}`,
        ),
    ]
    return found.length > 0
      ? warn(`${found.join('; ')}.`, 'move_service_data')
      : pass(`${releases.length} folders of running versions are as they were built`)
  },
}

const projectFolders = (builds: string): string[] =>
  existsSync(builds)
    ? readdirSync(builds, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => join(builds, name))
    : []

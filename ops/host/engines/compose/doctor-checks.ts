// Doctor's checks of the compose engine: the daemon, its disk, and every container that was started.
import { existsSync } from 'node:fs'
import { z } from 'zod'
import { containers } from '#ops/platform/docker/containers'
import { requestDocker, requireDaemon } from '#ops/platform/docker/engine-api'
import { fail, pass, skip, warn, type Finding } from '#ops/core/checks/check'
import type { DoctorContext } from '#ops/core/checks/context'
import type { HostCheck } from '#ops/core/checks/host-check'
import { judgeContainers } from './container-state.ts'
import { composeFolder, readComposeRecords } from './record.ts'

const gibibyte = 2 ** 30
const gib = (bytes: number): string => `${(bytes / gibibyte).toFixed(1)} GiB`

/**
 * Why these checks do not apply to this host; null when they do. A configuration that cannot be read does not change
 * which engine the host uses.
 */
function whySkipped({ paths, config }: DoctorContext): string | null {
  if (config?.engine === 'compose' || existsSync(composeFolder(paths))) return null
  return config === null
    ? 'No configuration names the engine yet, and no container was ever started.'
    : 'The engine is "process": nothing of this host runs in containers.'
}

const info = z.looseObject({
  Driver: z.string(),
  ContainersRunning: z.number(),
  Images: z.number(),
  Warnings: z.array(z.string()).nullish(),
})

async function daemon(context: DoctorContext, signal: AbortSignal): Promise<Finding> {
  const skipped = whySkipped(context)
  if (skipped !== null) return skip(skipped)
  const at = { socket: context.settings.docker_socket }
  const [version, about] = await Promise.all([
    requireDaemon(at, signal),
    requestDocker(at, { path: '/info', schema: info }, signal),
  ])
  if (about === null) return fail(`${at.socket} gives no information about Docker.`, 'start_docker')
  const detail = [
    `Docker ${version}`,
    `storage driver ${about.Driver}`,
    `${about.ContainersRunning} containers running`,
    `${about.Images} images`,
  ].join(', ')
  // Copies every file of every image: disks fill, and builds take minutes.
  return about.Driver === 'vfs'
    ? warn(`${detail}: the driver vfs keeps a whole copy of each layer`, 'start_docker')
    : pass(detail)
}

const usage = z.looseObject({
  LayersSize: z.number().nullish(),
  BuildCache: z.array(z.looseObject({ Size: z.number(), Shared: z.boolean().nullish() })).nullish(),
})

async function disk(context: DoctorContext, signal: AbortSignal): Promise<Finding> {
  const skipped = whySkipped(context)
  if (skipped !== null) return skip(skipped)
  // Containers and volumes are left out: to measure those the daemon walks through every file.
  const used = await requestDocker(
    { socket: context.settings.docker_socket },
    { path: '/system/df?type=image&type=build-cache', schema: usage },
    signal,
  )
  if (used === null) return skip('This Docker does not report how much disk it uses.')
  const layers = used.LayersSize ?? 0
  const cache = (used.BuildCache ?? [])
    .filter(({ Shared }) => Shared !== true)
    .reduce((sum, { Size }) => sum + Size, 0)
  const limit = context.settings.docker_disk_warn_gib
  const detail = `images ${gib(layers)}, build cache ${gib(cache)} (warns at ${limit} GiB together)`
  return layers + cache >= limit * gibibyte ? warn(detail, 'prune_images') : pass(detail)
}

async function projects(context: DoctorContext, signal: AbortSignal): Promise<Finding> {
  const records = readComposeRecords(context.paths)
  if (records.length === 0)
    return skip(whySkipped(context) ?? 'No deploy has started containers yet.')
  const at = { socket: context.settings.docker_socket }
  const judged = await Promise.all(
    records.map(async (record) =>
      judgeContainers(
        record,
        await containers(at, { project: record.project, all: true, signal }),
        Date.now(),
      ),
    ),
  )
  const [wrong, odd, good] = [
    judged.flatMap((each) => each.wrong),
    judged.flatMap((each) => each.odd),
    judged.flatMap((each) => each.good),
  ]
  if (wrong.length > 0) return fail(`${[...wrong, ...odd].join('; ')}.`, 'deploy_again')
  return odd.length > 0 ? warn([...odd, ...good].join('; '), 'deploy_again') : pass(good.join('; '))
}

export const dockerChecks: readonly HostCheck[] = [
  {
    name: 'docker',
    title: 'Docker',
    description: 'The daemon answers, and its storage driver shares layers between images.',
    remedies: ['start_docker'],
    run: daemon,
  },
  {
    name: 'docker_disk',
    title: 'Disk use of Docker',
    description: 'Images and build cache together use less than the limit of host.json.',
    remedies: ['prune_images'],
    late: 'WARN',
    run: disk,
  },
  {
    name: 'containers',
    title: 'Containers',
    description: 'Every container runs the image that the last deploy started, and is healthy.',
    remedies: ['deploy_again'],
    run: projects,
  },
]

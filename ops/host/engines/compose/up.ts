// Brings a build up as containers: everything is prepared before the first container is touched.
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { toProblem, type Problem } from '#shared/errors'
import type { HostPaths } from '#ops/base/paths/paths'
import { requireDaemon } from '#ops/platform/docker/engine-api'
import type { Build, Progress, Target, UpReport } from '#ops/host/engines/common/engine'
import { dockerOf } from '#ops/host/engines/common/host-docker'
import { writeServing } from '#ops/core/host-state/service-record'
import { plansOf } from './plans.ts'
import { prepare, type Prepared } from './prepare.ts'
import {
  composeFolder,
  removeComposeRecord,
  writeComposeRecord,
  type ComposeRecord,
} from './record.ts'
import { bringBack, replaceVersion } from './replace.ts'
import { pruneImages } from './version-images.ts'

/**
 * Brings the project up, then the console.
 * @throws {Problem} `public_port`, `port_in_use`, `config_invalid`, `docker_compose_failed`, `service_unhealthy`
 */
export async function composeUp(
  target: Target,
  build: Build,
  progress: Progress,
): Promise<UpReport> {
  const { paths } = target
  progress.log(`Docker ${await requireDaemon(dockerOf(target), progress.signal)}`)
  const all: Prepared[] = []
  for (const plan of plansOf(target, build)) all.push(await prepare(plan, progress))
  progress.beforeSwitch?.()
  const done: { prepared: Prepared; unansweredMs: number | null }[] = []
  for (const prepared of all) {
    for (const name of prepared.unchanged) progress.log(`${name}: unchanged, stays as it is`)
    try {
      const due = prepared.changed.length + prepared.gone.length > 0
      const replaced = due ? await replaceVersion(prepared, progress) : { unansweredMs: null }
      done.push({ prepared, ...replaced })
      writeComposeRecord(paths, recordOf(prepared))
    } catch (error) {
      throw await bringAllBack(
        paths,
        { done: done.map((each) => each.prepared), failure: toProblem(error) },
        progress,
      )
    }
  }
  writeServing(paths, target.sha)
  for (const prepared of all) await prune(paths, prepared, progress)
  const project = done.find(({ prepared }) => prepared.source.kind === 'project')
  return {
    changed: all.flatMap(({ changed }) => changed),
    unchanged: all.flatMap(({ unchanged }) => unchanged),
    stopped: all.flatMap(({ gone }) => gone),
    unansweredMs: project?.unansweredMs ?? null,
    written: [],
  }
}

const recordOf = ({ source, images, old }: Prepared): ComposeRecord => ({
  schema_version: 1,
  ...source,
  images: { ...images },
  since: new Date().toISOString(),
  green: old?.green ?? [],
})

/** The console could not be brought up: the project is put back too, so that one version serves as a whole. */
async function bringAllBack(
  paths: HostPaths,
  { done, failure }: { readonly done: readonly Prepared[]; readonly failure: Problem },
  progress: Progress,
): Promise<Problem> {
  let problem = failure
  for (const prepared of done.toReversed()) {
    problem = await bringBack(prepared, problem, progress)
    if (prepared.old) writeComposeRecord(paths, prepared.old)
    else removeComposeRecord(paths, prepared.source.project)
  }
  return problem
}

/** Keeps the images of the version that is up, of the one before, and of those a rollback can go to. */
async function prune(
  paths: HostPaths,
  { at, source, images, old }: Prepared,
  { log }: Progress,
): Promise<void> {
  const keep = new Set([source.version, ...(old ? [old.version, ...old.green] : [])])
  const services = [...new Set([...Object.keys(images), ...Object.keys(old?.images ?? {})])]
  const gone = await pruneImages(at, { project: source.project, services }, keep)
  if (gone.length > 0) log(`removed ${gone.join(', ')}`)
  if (source.kind !== 'console') return
  const kept = [source.folder, old?.folder]
  for (const name of readdirSync(composeFolder(paths))) {
    const folder = join(composeFolder(paths), name)
    if (/^console-[0-9a-f]{16}$/.test(name) && !kept.includes(folder))
      rmSync(folder, { recursive: true, force: true })
  }
}

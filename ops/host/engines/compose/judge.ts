// Judges a rendered compose file: what it would open to the network, and what power it gives over the host.
import { realName, nothingExists, type ExistingEntries, type ExistingEntry } from './existing.ts'
import {
  applyExceptions,
  noExceptions,
  type Exposure,
  type ExposureExceptions,
  type Judged,
} from '#ops/platform/net/exposure'
import { ordinaryMounts, type MountRules } from '#ops/platform/net/host-mounts'
import type { JudgedKey, SectionName } from './keys.ts'
import type { ComposeModel, ComposeNetwork, ComposeService, ComposeVolume } from './model.ts'
import { buildRules } from './build-rules.ts'
import { fileRules } from './file-rules.ts'
import { ipamRules, networkRules } from './network-rules.ts'
import { loggingRules, powerRules, reservationRules } from './power-rules.ts'
import { reachRules } from './reach-rules.ts'
import type { EntryRule, Report, ServiceCase, ServiceRule } from './rule.ts'
import { sourceJudges } from './source-judges.ts'
import { volumeRules } from './volume-rules.ts'
import { walk } from './walk.ts'

export interface JudgeOptions {
  /** Name of the compose file, for the pointers. */
  readonly file?: string
  /** Folder of the version. What images are made of must lie in it: only that was reviewed. */
  readonly folder?: string
  readonly exceptions?: ExposureExceptions
  readonly mounts?: MountRules
  /** Follows the links of a path of the host; the judge itself touches no file. */
  readonly resolvePath?: (path: string) => string
  /** Volumes and networks that exist already. */
  readonly existing?: ExistingEntries
}

/** A rule for each judged key of a service: the compiler insists. */
const serviceRules: Record<JudgedKey<'service'>, ServiceRule> = {
  ...reachRules,
  ...powerRules,
  ...fileRules,
}

/**
 * Everything in a rendered compose file that would open a port to others than this machine and the tailnet, or give a
 * container power over the host, and every key that HQ does not know. Call it before anything is built or started.
 * @param model what `docker compose config --format json` printed
 */
export function judgeComposeModel(model: ComposeModel, options: JudgeOptions = {}): Judged {
  return new Judgement(model, options).judge()
}

/** One use of an entry: by a service, or, when none uses it, by the entry itself. */
interface Use {
  readonly service: string
  readonly readOnly: boolean
}
type EntrySection = 'volumes' | 'networks' | 'secrets' | 'configs'

class Judgement {
  readonly #model: ComposeModel
  readonly #options: JudgeOptions
  readonly #found: Exposure[] = []

  constructor(model: ComposeModel, options: JudgeOptions) {
    this.#model = model
    this.#options = options
  }

  judge(): Judged {
    const { services, networks, volumes, secrets, configs, ...rest } = this.#model
    const { existing = nothingExists, exceptions = noExceptions } = this.#options
    for (const [name, service] of Object.entries(services)) this.#judgeService(name, service)
    this.#judgeEntries('volumes', volumes, { existing: existing.volumes, rules: volumeRules })
    this.#judgeEntries('networks', networks, { existing: existing.networks, rules: networkRules })
    this.#judgeEntries('networks', networks, { existing: new Map(), rules: ipamRules })
    for (const [name, entry] of Object.entries(volumes)) this.#walkEntry('volumes', name, entry)
    for (const [name, entry] of Object.entries(networks)) this.#walkEntry('networks', name, entry)
    for (const [name, entry] of Object.entries(secrets)) this.#walkEntry('secrets', name, entry)
    for (const [name, entry] of Object.entries(configs)) this.#walkEntry('configs', name, entry)
    walk({ section: 'file', value: rest, at: '' }, this.#reportFor('compose file', ''))
    return applyExceptions(this.#found, exceptions)
  }

  /** @param folder path of what is judged, below the root of the compose file */
  #reportFor(service: string, folder: string): Report {
    const { file = 'compose.yaml' } = this.#options
    return ({ code, at, subject, detail, port }) => {
      const path = [folder, at].filter((part) => part !== '').join('/')
      const pointer = `${file}#/${path}`
      this.#found.push({ code, service, subject, detail, pointer, ...(port ? { port } : {}) })
    }
  }

  #sourceJudges(report: Report): ReturnType<typeof sourceJudges> {
    const { folder, mounts = ordinaryMounts, resolvePath = (path) => path } = this.#options
    return sourceJudges({ folder, mounts, resolvePath }, report)
  }

  #judgeService(name: string, service: ComposeService): void {
    const report = this.#reportFor(name, `services/${name}`)
    const at: ServiceCase = { service, model: this.#model, report, ...this.#sourceJudges(report) }
    for (const rules of [serviceRules, loggingRules, reservationRules, buildRules])
      for (const rule of Object.values(rules)) rule(at)
    walk({ section: 'service', value: service, at: '' }, report)
  }

  #judgeEntries<T extends ComposeVolume | ComposeNetwork>(
    section: 'volumes' | 'networks',
    entries: Readonly<Record<string, T>>,
    { existing, rules }: EntryJudge<T>,
  ): void {
    for (const [name, entry] of Object.entries(entries)) {
      const now = existing.get(realName(name, entry))
      for (const use of this.#usesOf(section, name)) {
        const report = this.#reportOnce(use.service, `${section}/${name}`)
        const at = { name, readOnly: use.readOnly, report, ...this.#sourceJudges(report) }
        for (const each of now ? [entry, { ...entry, ...now }] : [entry])
          for (const rule of Object.values(rules)) rule({ ...at, entry: each })
      }
    }
  }

  /** An entry that exists already repeats what the file says of it. */
  #reportOnce(service: string, folder: string): Report {
    const report = this.#reportFor(service, folder)
    return (finding) => {
      const known = this.#found.some(
        (each) =>
          each.code === finding.code &&
          each.service === service &&
          each.subject === finding.subject,
      )
      if (!known) report(finding)
    }
  }

  #walkEntry(section: EntrySection, name: string, value: unknown): void {
    for (const { service } of this.#usesOf(section, name))
      walk(
        { section: sectionOf[section], value, at: '' },
        this.#reportFor(service, `${section}/${name}`),
      )
  }

  #usesOf(section: EntrySection, name: string): readonly Use[] {
    const uses = Object.entries(this.#model.services).flatMap(([service, each]) =>
      usesIn(each, section, name).map((readOnly) => ({ service, readOnly })),
    )
    return uses.length > 0 ? uses : [{ service: `${section}.${name}`, readOnly: false }]
  }
}

interface EntryJudge<T> {
  readonly existing: ReadonlyMap<string, ExistingEntry>
  readonly rules: Readonly<Record<string, EntryRule<T>>>
}

const sectionOf: Readonly<Record<EntrySection, SectionName>> = {
  volumes: 'volume',
  networks: 'network',
  secrets: 'secret',
  configs: 'config',
}

/** Whether a service only reads the entry, for each time that it names it. */
function usesIn(service: ComposeService, section: EntrySection, name: string): boolean[] {
  if (section === 'networks') return Object.hasOwn(service.networks, name) ? [false] : []
  if (section === 'volumes')
    return service.volumes
      .filter(({ type, source }) => type === 'volume' && source === name)
      .map(({ read_only }) => read_only === true)
  const inBuild = section === 'secrets' ? (service.build?.secrets ?? []) : []
  const named = [...service[section], ...inBuild].some(({ source }) => source === name)
  return named ? [true] : []
}

// Which fields of openclaw.config.json decide a gate, and how a change of each is put to the reviewer.
import { isDeepStrictEqual } from 'node:util'
import type { ProjectConfig } from '#shared/config'

/** @returns one line for each difference; none when the field is the same */
type Differences = (base: ProjectConfig, head: ProjectConfig) => string[]

/** Why a field decides no gate. */
interface NoGate {
  readonly noGate: string
}

/**
 * Every field, in the order of the file. The compiler refuses a field without a row, so that nobody adds one without
 * deciding whether it is a gate. The test suites are judged by themselves (gate-settings.ts).
 */
export const gateFields: {
  readonly [Field in Exclude<keyof ProjectConfig, 'tests'>]: Differences | NoGate
} = {
  schema_version: { noGate: 'it is the same in every file that can be read' },
  project: (base, head) => value('project', base.project, head.project),
  branch: (base, head) => value('branch', base.branch, head.branch),
  engine: (base, head) => value('engine', base.engine, head.engine),
  review: (base, head) =>
    (['max_diff_bytes', 'max_packets', 'timeout_seconds'] as const).flatMap((name) =>
      value(`review.${name}`, base.review[name], head.review[name]),
    ),
  protected_paths: (base, head) =>
    list('protected_paths', [base.protected_paths, head.protected_paths], (path) => path),
  build: (base, head) => list('build', [base.build, head.build], ({ name }) => name),
  services: (base, head) => list('services', [base.services, head.services], ({ name }) => name),
  endpoints: (base, head) =>
    list('endpoints', [base.endpoints, head.endpoints], ({ service, path }) => service + path),
  routes: (base, head) => list('routes', [base.routes, head.routes], ({ path }) => path),
  compose: (base, head) => [
    ...list('compose.files', [base.compose.files, head.compose.files], (file) => file),
    ...order('compose.files', base.compose.files, head.compose.files),
    ...list('compose.exceptions', [base.compose.exceptions, head.compose.exceptions], (each) =>
      [each.service, each.code, each.subject].join(' '),
    ),
  ],
  ports: (base, head) =>
    list('ports.exceptions', [base.ports.exceptions, head.ports.exceptions], (each) =>
      [each.protocol, each.port].join(' '),
    ),
}

/** What a change alters in the gates other than the test suites, a line each. */
export const alteredGates: Differences = (base, head) =>
  Object.values(gateFields).flatMap((field) =>
    typeof field === 'function' ? field(base, head) : [],
  )

const value = (name: string, before: string | number, after: string | number): string[] =>
  before === after ? [] : [`${name}: ${before} → ${after}`]

/** Entries that were removed, altered or added, each by what identifies it. */
function list<T>(
  name: string,
  [before, after]: readonly [readonly T[], readonly T[]],
  keyOf: (entry: T) => string,
): string[] {
  const grouped = (entries: readonly T[]): Map<string, T[]> =>
    Map.groupBy(entries, (entry) => keyOf(entry))
  const [old, now] = [grouped(before), grouped(after)]
  return [
    ...[...old].flatMap(([key, entries]) => {
      const kept = now.get(key)
      if (kept === undefined) return [`${name} ${key}: removed`]
      return isDeepStrictEqual(kept, entries) ? [] : [`${name} ${key}: altered`]
    }),
    ...[...now.keys()].filter((key) => !old.has(key)).map((key) => `${name} ${key}: added`),
  ]
}

/** A later file overrules an earlier one. */
function order(name: string, before: readonly string[], after: readonly string[]): string[] {
  const same = isDeepStrictEqual(before.toSorted(), after.toSorted())
  return same && !isDeepStrictEqual(before, after) ? [`${name}: in another order`] : []
}

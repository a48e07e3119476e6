/** What one row of the table of actions holds. */
import type { z } from 'zod'
import { connectorNames, type ConnectorName } from './connectors/list.ts'
import type { BundleKind } from './proof.ts'
import type { ResultKind } from './result-forms.ts'

const fixedLanes = [
  'deploy',
  'doctor',
  'guard',
  'port_audit',
  'verify',
  'dod',
  'green_check',
  'tail',
  'status',
  'selftest',
  'phase0',
  'connector',
] as const
export type Lane = (typeof fixedLanes)[number] | `connector_${ConnectorName}`
/** A connector has a lane of its own: its sign-in may take long, and says nothing about another one. */
export const laneOfConnector = <Name extends ConnectorName>(name: Name) =>
  `connector_${name}` as const
export const lanes: readonly [Lane, ...Lane[]] = [
  ...fixedLanes,
  ...connectorNames.map(laneOfConnector),
]

export interface Action {
  readonly title: string
  /** Text of the button that starts it. */
  readonly button: string
  /**
   * What its `hq` command does, for the help: the command is `ops/cli/commands/<name>.ts`, `<name>` as in `argv`.
   * Absent: another command does this as well, and has its own row in `ops/cli/tables/`.
   */
  readonly summary?: string
  /** Further text the palette of HQ finds it by. */
  readonly paletteText?: string
  /** The form of its result document. */
  readonly result: ResultKind
  /** The folder of `artifacts/` in which it leaves a proof that is sealed when it ends; null: it leaves none. */
  readonly bundle: BundleKind | null
  /** Arguments of the `hq` command; the runner adds the interpreter. Never a shell line. */
  readonly argv: (params: Record<string, unknown>) => readonly string[]
  readonly params: z.ZodType<Record<string, unknown>>
  readonly timeout_seconds: number
  /** One run at a time per lane; a second start is answered 409 and joinable. */
  readonly lane: Lane
  /** The lane by the parameters. Absent: always the one above. */
  readonly laneOf?: (params: Readonly<Record<string, unknown>>) => Lane
  /** `idle`: not while a deploy runs. `dod_only`: never, but for the Definition of Done. */
  readonly in_maintenance: 'allowed' | 'idle' | 'dod_only'
  /** Needs a confirmation in the UI that names what it changes. */
  readonly destructive: boolean
  /** The palette of HQ does not list it: HQ does the same by a button of its page. */
  readonly forAgents?: true
}

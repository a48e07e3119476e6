/** What each card shows, and which button of the page stands out. */
import type { ConnectorsView } from '#shared/bridge'
import { stateOfAttempt, type ConnectFlow } from '#shared/connect-flow'
import type { ConnectorDetail, ConnectorReport } from '#shared/connectors'
import {
  connectorNames,
  connectors,
  type ConnectorMode,
  type ConnectorName,
} from '#shared/connectors/list'
import { isUsed } from '#shared/connectors/used'
import type { ConnectWay } from '#shared/connectors/ways'
import { standingOfConnector, type ConnectorStanding } from '#shared/state/connectors'

export interface Way extends ConnectWay {
  readonly mode: ConnectorMode
}

/**
 * What the person can do with a connector: follow the attempt, read how it ended, prove what lies on the host, connect,
 * or only check it again. `unused`: the host does without it, and the person may connect it.
 */
export type CardStep = 'attempt' | 'ended' | 'prove' | 'connect' | 'rest' | 'unused'

export interface CardModel extends ConnectorStanding {
  readonly ways: readonly Way[]
  readonly report: ConnectorReport | null
  readonly detail: ConnectorDetail | null
  readonly flow: ConnectFlow | null
  /** The way that the form starts with. */
  readonly mode: ConnectorMode
  /** Fields that may stay empty because HQ has a value from before. */
  readonly kept: ReadonlySet<string>
  /** Its object in host.json; of a host that does not say: the defaults. */
  readonly settings: Readonly<Record<string, unknown>>
  /** The host does without it. */
  readonly unused: boolean
  readonly step: CardStep
}

/** The connector that an address names. */
export function connectorNamed(
  rest: string | null,
): { readonly name: ConnectorName; readonly title: string } | null {
  const name = connectorNames.find((each) => each === rest)
  return name === undefined ? null : { name, title: connectors[name].title }
}

const waysOf = (name: ConnectorName): readonly Way[] =>
  Object.entries<ConnectWay>(connectors[name].ways).map(([mode, way]) => ({
    ...way,
    mode: mode as ConnectorMode,
  }))

/** @param now milliseconds since the epoch */
export function cardsOf(view: ConnectorsView, now: number): CardModel[] {
  return connectorNames.map((name) => {
    const report = view.host?.connectors?.find((each) => each.name === name) ?? null
    const detail = view.host?.details?.find((each) => each.name === name) ?? null
    const flow = view.flows.find(({ connector }) => connector === name) ?? null
    const settings = { ...(detail?.settings ?? connectors[name].settings.parse({})) }
    const unused = !isUsed(name, settings)
    const standing = standingOfConnector(
      name,
      {
        state: report?.state ?? null,
        expiresAt: report?.expires_at ?? null,
        unused,
        attempt: flow === null ? null : stateOfAttempt(flow),
      },
      now,
    )
    const ways = waysOf(name)
    return {
      ...standing,
      ways,
      report,
      detail,
      flow,
      settings,
      unused,
      mode: flow?.mode ?? detail?.mode ?? report?.mode ?? connectors[name].modes[0],
      kept: new Set(
        view.kept
          .filter((key) => key.startsWith(`${name}.`))
          .map((key) => key.slice(name.length + 1)),
      ),
      step: stepOf({ flow, detail, report, unused, standing }),
    }
  })
}

interface StepFacts extends Pick<CardModel, 'flow' | 'detail' | 'report' | 'unused'> {
  readonly standing: ConnectorStanding
}

function stepOf({ flow, detail, report, unused, standing }: StepFacts): CardStep {
  if (flow !== null) return flow.end === null ? 'attempt' : 'ended'
  if (detail !== null && detail.candidate !== null) return 'prove'
  if (unused) return 'unused'
  if (report === null) return 'rest'
  return standing.needsYou ? 'connect' : 'rest'
}

/** Which comes first, when several want the filled button: there is one on the page. */
const order: readonly CardStep[] = ['attempt', 'ended', 'prove', 'connect']

/**
 * @param opened the connector whose form the person opened
 * @returns whose button is filled; null: none of a connector
 */
export function filledOf(
  cards: readonly CardModel[],
  opened: ConnectorName | null,
): ConnectorName | null {
  const asking = cards.find(({ flow, step }) => step === 'attempt' && canAct(flow))
  if (asking) return asking.name
  if (opened !== null) return opened
  const first = order
    .filter((step) => step !== 'attempt')
    .flatMap((step) =>
      cards.filter((card) => card.step === step && card.flow?.end?.state !== 'ready'),
    )
  return (first[0] ?? cards.find(({ ready, step }) => !ready && step === 'rest'))?.name ?? null
}

/** The secret is in use, and ends by itself within days. */
export const endsSoon = ({ ready, tone }: CardModel): boolean => ready && tone === 'warn'

/** The attempt offers something to press. */
export const canAct = (flow: ConnectFlow | null): boolean =>
  flow !== null && (flow.window || flow.user_code !== null || flow.open_url !== null)

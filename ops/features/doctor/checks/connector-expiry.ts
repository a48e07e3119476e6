import type { ConnectorReport } from '#shared/connectors'
import { connectors } from '#shared/connectors/list'
import { usedConnectors } from '#shared/connectors/used'
import { pass, skip, warn, type Finding } from '#ops/core/checks/check'
import type { HostCheck } from '#ops/core/checks/host-check'
import { readKnownConnectors } from '#ops/core/host-state/connector-results'

const hourMs = 3600 * 1000
const dayMs = 24 * hourMs
/** A person is warned this long before a login ends, milliseconds; and again a day before, by the hour. */
const noticeMs = 7 * dayMs

export const connectorExpiry: HostCheck = {
  name: 'connector_expiry',
  title: 'Logins of the connectors',
  description:
    'No login of a connector ends within seven days, as far as its last check knows. No secret is read.',
  remedies: ['connect_again'],
  run: ({ paths, settings }) =>
    judgeExpiry(readKnownConnectors(usedConnectors(settings), paths).reports, Date.now()),
}

/** @param now milliseconds */
export function judgeExpiry(reports: readonly ConnectorReport[], now: number): Finding {
  const ready = reports.filter(({ state }) => state === 'ready')
  if (ready.length === 0) return skip('no connector was ready when it was last checked')
  const soon = ready.filter((report) => endOf(report) - now <= noticeMs)
  if (soon.length > 0)
    return warn(soon.map((report) => whenItEnds(report, now)).join('; '), 'connect_again')
  const ends = ready.map(
    ({ name, expires_at }) =>
      `${connectors[name].title} ${expires_at ? `until ${expires_at}` : 'without a known end'}`,
  )
  return pass(ends.join(', '))
}

/** Milliseconds; a login whose end is not known has none. */
const endOf = ({ expires_at }: ConnectorReport): number =>
  expires_at ? Date.parse(expires_at) : Number.POSITIVE_INFINITY

function whenItEnds(report: ConnectorReport, now: number): string {
  const { name, expires_at } = report
  const left = endOf(report) - now
  const login = `The login of ${connectors[name].title}`
  if (left <= 0) return `${login} ended at ${expires_at ?? ''}`
  const hours = Math.ceil(left / hourMs)
  return left <= dayMs
    ? `${login} ends within a day, in ${hours} h, at ${expires_at ?? ''}`
    : `${login} ends in ${Math.ceil(left / dayMs)} days, at ${expires_at ?? ''}`
}

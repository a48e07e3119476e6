import type { ConnectorName } from '#shared/connectors/list'
import { obtainByForm } from './common/form-way.ts'
import type { Obtain } from './common/way.ts'

/** The laptop's side of each connector. A connector that is not here cannot be connected from HQ yet. */
export const ways: Readonly<Partial<Record<ConnectorName, Obtain>>> = {
  // The libraries of a way are loaded with its first attempt.
  kajabi: async (attempt, options) =>
    await (await import('./kajabi/capture.ts')).obtainKajabiLogin(attempt, options),
  gmail: async (attempt, options) =>
    await (await import('./gmail/gmail.ts')).connectGmail(attempt, options),
  http_token: obtainByForm,
}

import type { OperatorSettings } from '#shared/config'
import type { AcceptedProvider } from '#ops/core/trust/review-chain'

/** Providers whose verdicts this operator accepts. */
export const acceptedProviders = (settings: OperatorSettings): AcceptedProvider[] =>
  settings.review.providers.map(({ id, base_url }) => ({ id, base_url }))

/** Is the reviewer of a verdict one of them? */
export const isAccepted = (
  settings: OperatorSettings,
  { provider_id, base_url }: { readonly provider_id: string; readonly base_url: string },
): boolean =>
  acceptedProviders(settings).some((each) => each.id === provider_id && each.base_url === base_url)

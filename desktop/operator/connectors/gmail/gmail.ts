import { Problem } from '#shared/errors'
import type { Attempt } from '../common/attempt.ts'
import type { Secret, WayOptions } from '../common/way.ts'
import { obtainByBrowser } from './desktop-way.ts'

/** Gets the secret of Gmail from the person, by the mode of the attempt. */
export async function connectGmail(
  attempt: Attempt,
  options: WayOptions,
): Promise<readonly Secret[]> {
  const { mode } = attempt.view()
  if (mode !== 'oauth_desktop')
    throw new Problem(
      'invalid_request',
      `mode: HQ cannot connect Gmail by ${mode} yet. Nothing was started.`,
    )
  return await obtainByBrowser(attempt, options)
}

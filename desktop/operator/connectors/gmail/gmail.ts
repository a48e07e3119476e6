import type { Attempt } from '../common/attempt.ts'
import type { Secret, WayOptions } from '../common/way.ts'
import { obtainByBrowser } from './desktop-way.ts'
import { obtainByDeviceCode } from './device-way.ts'
import { connectByAppPassword } from './imap-way.ts'

/** Gets the secret of Gmail from the person, by the mode of the attempt. */
export async function connectGmail(
  attempt: Attempt,
  options: WayOptions,
): Promise<readonly Secret[]> {
  const { mode } = attempt.view()
  if (mode === 'oauth_device') return await obtainByDeviceCode(attempt, options)
  if (mode === 'imap') return await connectByAppPassword(attempt, options)
  return await obtainByBrowser(attempt, options)
}

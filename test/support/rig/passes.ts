import { checksResult } from '#shared/result'
import type { DeployHost } from './deploy-host.ts'
import { until } from './patience.ts'
import type { Rig } from './rig.ts'

/** What systemctl says, which ends with an error for a unit that is not active. */
export const systemctl = async (rig: Rig, ...args: string[]): Promise<string> =>
  (await rig.exec(['systemctl', ...args])).out.trim()

/** On a machine with other work a check may take longer than its limit; anything else that fails is reported. */
export const onlyLate = (result: unknown): false => {
  const failed = checksResult
    .parse(result)
    .checks.filter(({ status, duration_ms }) => status === 'FAIL' && duration_ms < 1900)
  if (failed.length > 0) throw new Error(JSON.stringify(failed))
  return false
}
/** Starts the service of a timer until its run passes. */
export async function inOrder(host: DeployHost, unit: string): Promise<void> {
  await until(`${unit} to pass`, async () => {
    await host.rig.must(['systemctl', 'start', `${unit}.service`])
    const [last] = (await host.api(`/api/runs?action=${unit.slice('openclaw-'.length)}`)).body[
      'runs'
    ] as { run_id: string }[]
    const { status, result } = await host.run(last?.run_id ?? '')
    return status === 'passed' || onlyLate(result)
  })
}
/** Starts an action until it passes. */
export async function passes(
  host: DeployHost,
  action: 'doctor' | 'guard' | 'port_audit',
): Promise<void> {
  await until(`${action} to pass`, async () => {
    const { status, result } = await host.ended(await host.start(action))
    return status === 'passed' || onlyLate(result)
  })
}

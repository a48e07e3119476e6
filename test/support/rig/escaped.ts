import { expect } from 'vitest'
import { cgroupFiles, type RigHost } from './host.ts'
import { until } from './patience.ts'
import type { Rig } from './rig.ts'

/**
 * A process in the cgroup of the unit that has nothing of the run in its environment, its own session, and no ear for
 * SIGTERM.
 */
export async function plantEscaped(rig: Rig, host: RigHost, unit: string): Promise<number> {
  const group = await host.show(unit, 'ControlGroup')
  const script =
    `setsid env -i sh -c 'trap "" TERM HUP; echo $$ > /run/escaped; while :; do sleep 1; ` +
    `done' > /dev/null 2>&1 &`
  await rig.must(['rm', '-f', '/run/escaped'])
  await rig.must(['sh', '-c', script])
  const pid = Number(
    await until(
      'the escaped process to have written its id',
      async () => /^\d+\n$/.exec((await rig.exec(['cat', '/run/escaped'])).out)?.[0],
    ),
  )
  await rig.must(
    [
      'sh',
      '-c',
      'for file; do if [ -e "$file" ]; then echo "$PID" > "$file"; fi; done',
      'sh',
      ...cgroupFiles(group),
    ],
    { env: { PID: String(pid) } },
  )
  expect(await host.processesOf(unit)).toContain(pid)
  return pid
}

import { hostPaths } from '#ops/base/paths/paths'
import { retainAfter } from '#ops/host/runner/retention'

/** One pass of retention on the host of the environment, for a test that kills it. */
await retainAfter(hostPaths(process.env), 'doctor', (text) => {
  process.stdout.write(`${text}\n`)
})

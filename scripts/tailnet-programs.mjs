// Tailscale and headscale for the rig tests, built while the other tests run. Plain JavaScript for Node 20 and newer,
// like all of scripts.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { ownNode, root } from './paths.mjs'

/**
 * Starts their build in the background, unless only other tests were asked for. A test that needs them waits for it;
 * when it fails, that test builds again and reports why.
 * @param {readonly string[]} asked parts of the paths of the tests to run; none: all
 * @returns {{ end(): void }} ends a build that still runs
 */
export function buildTailnetPrograms(asked) {
  if (asked.length > 0 && !asked.some((each) => each.includes('tailnet')))
    return { end: () => undefined }
  const child = spawn(ownNode(), [join(root, 'test/support/rig/tailnet/build.ts')], {
    cwd: root,
    stdio: 'ignore',
    // A group of its own, so that its end is the end of the compilers too.
    detached: true,
    env: { ...process.env, OPENCLAW_HQ_INSTALL: root },
  })
  let ended = false
  for (const event of ['exit', 'error'])
    child.once(event, () => {
      ended = true
    })
  return {
    end: () => {
      if (!ended && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    },
  }
}

import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/**
 * Below the range from which the system gives ports to programs that name none, and beside the one from which
 * ops/base/process/free-port.ts takes: what is chosen here is given to nobody by chance until the test uses it.
 */
const [first, count] = [10_000, 8_000] as const

const binds = (
  path: { port: number; host: string } | { path: string },
  keep: boolean,
): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ ...path, exclusive: true }, () => {
      server.unref()
      if (keep) resolve(true)
      else server.close(() => resolve(true))
    })
  })

/**
 * Other test processes choose as well. A claim is a name that the kernel knows while this process lives; Linux alone
 * has them.
 */
const claim = async (port: number): Promise<boolean> =>
  process.platform !== 'linux' || (await binds({ path: `\0openclaw-test-port-${port}` }, true))

/**
 * A port of loopback that nobody holds, and that no other test process chooses while this one lives: also to come back
 * to.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 200; tries += 1) {
    const port = first + randomInt(count)
    if ((await claim(port)) && (await binds({ port, host: '127.0.0.1' }, false))) return port
  }
  throw new Error(`no port of ${first} to ${first + count} is free`)
}

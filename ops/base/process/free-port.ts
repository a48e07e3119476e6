import { randomInt } from 'node:crypto'
import getPort from 'get-port'

/** Below the range that systems assign automatically: from 32768 on with Linux, from 49152 on elsewhere. */
const [first, count, tries] = [20_000, 10_000, 50] as const

/**
 * A port of loopback that nobody holds. What listens on it later finds it free: no program that requests any free
 * port, and no outgoing connection, is given it meanwhile.
 * @param before taken when it is free
 */
export const freePort = (before?: number): Promise<number> =>
  getPort({
    host: '127.0.0.1',
    port: [
      ...(before === undefined ? [] : [before]),
      ...Array.from({ length: tries }, () => first + randomInt(count)),
    ],
  })

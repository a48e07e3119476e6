import { searchPath } from '#ops/base/env'
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { z } from 'zod'
import { runCommand } from '#ops/base/process/command'
import { readHostSettings } from '#ops/core/config/settings-files'
import { processEngine } from '#ops/host/engines/registry'
import { reachableSockets, sharedPortChecks, socketExposures } from '#ops/features/port-audit/index'
import { hostPaths } from '#ops/base/paths/paths'

/** What the program in the network namespace found, by case. */
export const socketAnswers = z.strictObject({
  host: z.record(z.string(), z.array(z.strictObject({ code: z.string(), detail: z.string() }))),
  process: z.record(z.string(), z.strictObject({ status: z.string(), detail: z.string() })),
})
export type SocketAnswers = z.infer<typeof socketAnswers>

/** Below the range of ephemeral ports; no other program uses it in a new namespace. */
const port = 20_053

interface Closable {
  close(done: () => void): unknown
}

function tcp(host: string, ipv6Only = false): Promise<Closable> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen({ host, port, ipv6Only }, () => resolve(server))
  })
}

function udp(address: string): Promise<Closable> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4')
    socket.once('error', reject)
    socket.bind({ address, port }, () => resolve(socket))
  })
}

export const socketCases = {
  loopback: () => tcp('127.0.0.1'),
  tcp: () => tcp('0.0.0.0'),
  udp: () => udp('0.0.0.0'),
  tcp6_only: () => tcp('::', true),
} as const satisfies Record<string, () => Promise<Closable>>

/**
 * Opens each socket for a moment and runs both port audits over it. Call it only in a separate network namespace: the
 * sockets are really open to everybody there.
 * @throws the error of the system when a socket cannot be opened
 */
export async function auditSocketCases(): Promise<SocketAnswers> {
  // In a new namespace loopback is down. Where `ip` is missing, the first socket shows whether that matters.
  await runCommand(['ip', 'link', 'set', 'lo', 'up'], {
    cwd: '/',
    env: { PATH: searchPath() },
    timeLimitSeconds: 20,
  }).catch(() => undefined)
  const answers: SocketAnswers = { host: {}, process: {} }
  const paths = hostPaths()
  const host = { paths, settings: readHostSettings(paths) }
  for (const [name, open] of Object.entries(socketCases)) {
    const socket = await open()
    try {
      answers.host[name] = socketExposures(await reachableSockets()).map(({ code, detail }) => ({
        code,
        detail,
      }))
      const [hostdCheck] = sharedPortChecks({
        host,
        engine: processEngine,
        hostdPort: port,
        exceptions: [],
        othersReason: 'only this port is audited',
      })
      const found = await hostdCheck?.run(AbortSignal.timeout(5000))
      answers.process[name] = { status: found?.status ?? 'none', detail: found?.detail ?? '' }
    } finally {
      await new Promise<void>((done) => {
        socket.close(() => done())
      })
    }
  }
  return answers
}

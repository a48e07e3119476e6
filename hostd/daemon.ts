import { hasCode } from '#shared/system-error'
import type { Server } from 'node:http'
import { toProblem } from '#shared/errors'
import { inUrl } from '#ops/platform/net/addresses'
import { envValue } from '#ops/base/env'
import { hostPaths } from '#ops/base/paths/paths'
import { installRoot, stayWithRelease } from '#ops/base/process/program'
import { releaseVersion } from '#ops/core/host-state/releases'
import { describeThrown, redactCrashes, sayError } from '#ops/base/redact/crash-output'
import { loadSecrets } from '#ops/base/redact/known-secrets'
import { launchSettings } from '#ops/host/runner/launch'
import { takeLock } from '#ops/base/files/lock'
import { hostdLockFile } from '#ops/core/host-state/locks'
import { readHostSettings } from '#ops/core/config/settings-files'
import { createApp } from './app.ts'
import { authRules } from './http/auth.ts'
import {
  drain,
  listenPassed,
  listenSocket,
  listenTailnet,
  listenTcp,
  passedSockets,
  refusedAddress,
} from './listen.ts'
import { logToStderr } from './log/log.ts'
import { superviseRuns } from './runs/runs.ts'
import { openStore } from './runs/store.ts'

/** Exit code of the daemon for a setting that it refuses; 1 means that it cannot run here now. */
const usage = 64
/** Longest that a restart waits for requests under way, milliseconds. */
const drainMs = 1500

class Refusal extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

async function main(): Promise<void> {
  stayWithRelease()
  const passed = passedSockets()
  const address = envValue('OPENCLAW_HOSTD_ADDRESS')
  const why = refusedAddress(address)
  if (why !== null)
    throw new Refusal(
      usage,
      `hostd was not started: ${why}. It serves loopback only; other machines reach it through tailscale serve.`,
    )
  const paths = orRefuse(() => hostPaths())
  const wanted = orRefuse(() => envValue('OPENCLAW_HOSTD_PORT'))
  const settings = orRefuse(() => readHostSettings(paths))
  const version = orRefuse(() => releaseVersion(installRoot()))

  const lock = await takeLock(hostdLockFile(paths), 2000)
  if (lock === null)
    throw new Refusal(
      1,
      `hostd was not started: another hostd serves ${paths.state} and keeps running.`,
    )
  const log = logToStderr
  let port = wanted
  const url = (): string => `http://${inUrl(address)}:${port}`
  const launch = () => launchSettings(paths, url(), settings)
  const rules = authRules(settings, paths.tokenFile, { port: () => port, address })
  const store = openStore(paths.index, log)
  const runs = superviseRuns({ paths, store, log, launch })
  const app = createApp({ paths, settings, rules, runs, launch, version, log })
  let sockets: Server[] = []
  try {
    if (passed.length > 0) {
      ;({ port, sockets } = await listenPassed(app, passed, paths.tailnetSocket))
    } else {
      port = await listenTcp(app, address, wanted)
      const socketPath = envValue('OPENCLAW_HOSTD_SOCKET')
      if (socketPath !== undefined) sockets.push(await listenSocket(app, socketPath))
      const tailnetPath = envValue('OPENCLAW_HOSTD_TAILNET_SOCKET')
      if (tailnetPath !== undefined) sockets.push(await listenTailnet(app, tailnetPath))
    }
  } catch (error) {
    const inUse = hasCode(error, 'EADDRINUSE')
    throw new Refusal(
      1,
      inUse
        ? `hostd was not started: ${address}:${wanted} is in use by another process.`
        : `hostd was not started: ${address}:${wanted} cannot be bound (${String(error)}).`,
    )
  }

  const stop = async (): Promise<void> => {
    if (passed.length > 0) await drain([app.server, ...sockets], drainMs)
    for (const socket of sockets) {
      socket.closeAllConnections()
      socket.close()
    }
    await app.close()
    runs.close()
    store.close()
    lock.release()
    process.exit(0) // runs do not depend on hostd, so nothing of them delays its exit
  }
  let stopping = false
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (stopping) return
      stopping = true
      stop().catch((error: unknown) => {
        log('stop_failed', { why: String(error) })
        process.exit(1)
      })
    })
  }
  process.stdout.write(`${JSON.stringify({ ready: true, url: url() })}\n`)
}

function orRefuse<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new Refusal(usage, `hostd was not started: ${toProblem(error).message}`)
  }
}

redactCrashes()
try {
  loadSecrets()
  await main()
} catch (error) {
  sayError(error instanceof Refusal ? error.message : describeThrown(error))
  process.exit(error instanceof Refusal ? error.code : 1)
}

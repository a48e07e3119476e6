// The console as a process: loopback only. The port comes from its starter, else from host.json.
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { z } from 'zod'
import { envValue } from '#ops/base/env'
import { hostdUrl, hostPaths } from '#ops/base/paths/paths'
import { installRoot } from '#ops/base/process/program'
import { redactCrashes } from '#ops/base/redact/crash-output'
import { loadSecrets } from '#ops/base/redact/known-secrets'
import { readHostSettings } from '#ops/core/config/settings-files'
import { consoleApp } from './server.ts'

redactCrashes()
loadSecrets()
const paths = hostPaths()
const settings = readHostSettings(paths)
const install = installRoot()
const { version } = z
  .looseObject({ version: z.string() })
  .parse(JSON.parse(readFileSync(join(install, 'package.json'), 'utf8')))
const wanted = envValue('PORT') ?? settings.console_port

const app = await consoleApp({
  page: join(install, 'out', 'renderer'),
  artifacts: paths.artifacts,
  hostdUrl: hostdUrl(),
  settings,
  version,
  port: () => (app.server.address() as AddressInfo | null)?.port ?? wanted,
})
await app.listen({ host: '127.0.0.1', port: wanted })
console.log(`console ${version} at http://127.0.0.1:${(app.server.address() as AddressInfo).port}`)
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => {
    void app.close().then(() => process.exit(0))
  })

// The console inside its container.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { hostSettings } from '#shared/config'
import { installRoot } from '#ops/base/process/program'
import { containerPaths, imageSettings } from './image-settings.ts'
import { consoleApp } from './server.ts'

// It listens on every address of the container; the host publishes it on loopback only. It reaches hostd over the
// mounted socket, and the Host rule holds the published port.
const install = installRoot()
const { version } = z
  .looseObject({ version: z.string() })
  .parse(JSON.parse(readFileSync(join(install, 'package.json'), 'utf8')))
const { port, hostnames, console_url, socket } = imageSettings.parse(
  JSON.parse(readFileSync(join(install, 'console.json'), 'utf8')),
)
const settings = hostSettings.parse({
  console_port: port,
  hostnames,
  ...(console_url === null ? {} : { console_url }),
})

const app = await consoleApp({
  page: join(install, 'out', 'renderer'),
  artifacts: containerPaths.artifacts,
  settings,
  version,
  port: () => port,
  hostdUrl: 'http://localhost',
  hostdSocket: join(containerPaths.socketFolder, socket),
})
await app.listen({ host: '0.0.0.0', port: containerPaths.port })
console.log(`console ${version} on port ${containerPaths.port}`)
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => {
    void app.close().then(() => process.exit(0))
  })

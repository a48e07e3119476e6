import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { hostSettings } from '#shared/config'
import { installRoot } from '#ops/base/process/program'
import { containerPlaces, imageSettings } from './image-settings.ts'
import { consoleApp } from './server.ts'

/**
 * The console inside its container. It listens on every address there; what the host publishes is loopback only. hostd
 * is reached over the mounted socket, and the port of the Host rule is the published one.
 */
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
  artifacts: containerPlaces.artifacts,
  settings,
  version,
  port: () => port,
  hostdUrl: 'http://localhost',
  hostdSocket: join(containerPlaces.socketFolder, socket),
})
await app.listen({ host: '0.0.0.0', port: containerPlaces.port })
console.log(`console ${version} on port ${containerPlaces.port}`)
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => {
    void app.close().then(() => process.exit(0))
  })

import { createServer, type Socket } from 'node:net'
import type { Rig } from './rig.ts'
import { productionPaths } from './host.ts'

/** A remote that takes connections and never answers: a deploy from it goes on until somebody ends it. */
export async function silentOrigin(rig: Rig): Promise<{ close(): void }> {
  const connections = new Set<Socket>()
  const server = createServer((socket) => { connections.add(socket); socket.on('error', () => undefined) })
  await new Promise<void>((resolve, reject) => { server.once('error', reject); server.listen(0, rig.outside, resolve) })
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0
  await rig.must(['git', 'init', '--quiet', '--initial-branch=main', productionPaths.root])
  await rig.must(['git', '-C', productionPaths.root, '-c', 'user.name=rig', '-c', 'user.email=rig@localhost', 'commit', '--quiet', '--allow-empty', '--message=first'])
  await rig.must(['git', '-C', productionPaths.root, 'remote', 'add', 'origin', `git://${rig.outside}:${port}/sample.git`])
  return {
    close: () => {
      for (const socket of connections) socket.destroy()
      server.close()
    },
  }
}

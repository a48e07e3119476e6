import { createServer, type Socket } from 'node:net'
import type { Rig } from './rig.ts'
import { productionPaths } from './host.ts'

/** Git in the host's clone, as the account that it belongs to. */
export const inClone = async (rig: Rig, args: readonly string[]): Promise<string> =>
  await rig.must([
    'runuser',
    '-u',
    'openclaw-build',
    '--',
    'git',
    '-C',
    productionPaths.root,
    ...args,
  ])

/** A remote that takes connections and never answers: a deploy from it goes on until somebody ends it. */
export async function silentOrigin(rig: Rig): Promise<{ close(): void }> {
  const connections = new Set<Socket>()
  const server = createServer((socket) => {
    connections.add(socket)
    socket.on('error', () => undefined)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, rig.outside, resolve)
  })
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0
  await inClone(rig, ['init', '--quiet', '--initial-branch=main'])
  await inClone(rig, [
    '-c',
    'user.name=rig',
    '-c',
    'user.email=rig@localhost',
    'commit',
    '--quiet',
    '--allow-empty',
    '--message=first',
  ])
  await inClone(rig, ['remote', 'add', 'origin', `git://${rig.outside}:${port}/sample.git`])
  return {
    close: () => {
      for (const socket of connections) socket.destroy()
      server.close()
    },
  }
}

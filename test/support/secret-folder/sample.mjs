// Looks at a folder without a pause until its input ends, and prints every state in which it saw an entry.
import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const [folder] = process.argv.slice(2)
const seen = new Map()
const look = (path, kind) => {
  const at = lstatSync(path, { throwIfNoEntry: false })
  if (at === undefined) return
  const content = kind === 'folder' || at.size > 0 ? 'full' : 'empty'
  const key = `${kind} ${content} ${(at.mode & 0o7777).toString(8)} ${at.uid}:${at.gid}`
  seen.set(key, (seen.get(key) ?? 0) + 1)
}
const side = { works: true }
process.stdin.on('end', () => (side.works = false)).resume()
process.stdout.write('ready\n')
while (side.works) {
  for (let turn = 0; turn < 500; turn += 1) {
    look(folder, 'folder')
    for (const name of readdirSync(folder))
      look(join(folder, name), name.endsWith('.tmp') ? 'new' : 'named')
  }
  await new Promise((resolve) => setImmediate(resolve))
}
process.stdout.write(`${JSON.stringify([...seen])}\n`)

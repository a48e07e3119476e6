// Puts links to what lies outside in the place of the folder of the secrets, of the one above it, and of every name in
// it, without a pause until its input ends. Prints how often.
import { linkSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'

const [etc, outside] = process.argv.slice(2)
const secrets = join(etc, 'secrets')
const folder = join(secrets, 'soma_kajabi')
const target = join(outside, 'target.json')
let links = 0

/** Each step may fail, because the other side works on the same names. */
const tried = (work) => {
  try {
    work()
    return true
  } catch {
    return false
  }
}
const swapped = (place, decoy) => {
  const aside = `${place}.aside`
  if (!tried(() => renameSync(place, aside))) return
  if (tried(() => symlinkSync(decoy, place))) links += 1
  tried(() => rmSync(place, { recursive: true, force: true }))
  while (!tried(() => renameSync(aside, place)))
    tried(() => rmSync(place, { recursive: true, force: true }))
}
const replaced = (name, make) => {
  tried(() => rmSync(join(folder, name), { force: true }))
  if (tried(() => make(target, join(folder, name)))) links += 1
}

const side = { works: true }
process.stdin.on('end', () => (side.works = false)).resume()
process.stdout.write('ready\n')
for (let turn = 0; side.works; turn += 1) {
  for (const name of ['secret.json', 'secret.candidate.json'])
    replaced(name, turn % 2 === 0 ? symlinkSync : linkSync)
  let names = []
  tried(() => (names = readdirSync(folder)))
  for (const name of names) if (name.endsWith('.tmp')) replaced(name, symlinkSync)
  if (turn % 4 === 0) swapped(folder, join(outside, 'secrets', 'soma_kajabi'))
  if (turn % 8 === 0) swapped(secrets, join(outside, 'secrets'))
  if (turn % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
}
process.stdout.write(`${links}\n`)

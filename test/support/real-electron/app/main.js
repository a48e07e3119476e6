// What Electron's own default app does and the package left out: `electron [-r module] <folder>` runs the app there.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { app } from 'electron'

const require = createRequire(import.meta.url)
let folder
for (let index = 1; index < process.argv.length && folder === undefined; index += 1) {
  const given = process.argv[index]
  if (given === '-r') require(resolve(process.argv[(index += 1)]))
  else if (!given.startsWith('-')) folder = resolve(given)
}
if (folder === undefined) throw new Error('usage: electron [-r module] <folder>')
const { version, name, productName, main } = JSON.parse(readFileSync(join(folder, 'package.json')))
app.setVersion(version)
app.name = productName ?? name
app.setAppPath(folder)
try {
  await import(pathToFileURL(join(folder, main)).href)
} catch (error) {
  console.error(error)
  app.exit(1)
}

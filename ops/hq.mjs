#!/usr/bin/env node
// Plain JavaScript for any Node: it only finds the package's own Node 24 and hands over, so that an old system Node
// gives one clear sentence instead of a syntax error.
import { spawn } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(realpathSync(fileURLToPath(import.meta.url))))
const own = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node')
const node = existsSync(own) ? own : process.execPath
if (node === process.execPath && Number(process.versions.node.split('.')[0]) < 24) {
  console.error(
    `OpenClaw HQ needs Node 24 or newer here; this is ${process.versions.node}. ` +
      `Run \`npm start\` once in ${root}: it installs Node 24 where a package of it exists.`,
  )
  process.exit(64)
}
const [first, ...rest] = process.argv.slice(2)
const entries = { hostd: 'hostd/main.ts', serve: 'desktop/serve/main.ts' }
const entry = Object.hasOwn(entries, first ?? '') ? entries[first] : null
const args = entry
  ? [join(root, entry), ...rest]
  : [join(root, 'ops', 'main.ts'), ...process.argv.slice(2)]
const child = spawn(node, args, {
  stdio: 'inherit',
  env: { ...process.env, OPENCLAW_HQ_INSTALL: root },
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143)
})

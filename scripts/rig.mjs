#!/usr/bin/env node
// `npm run rig -- up|shell|down`: the machine that the rig tests build, by hand. Plain JavaScript, as
// main.mjs beside it.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { installDependencies } from './dependencies.mjs'
import { refuseOldNode } from './node-version.mjs'
import { ownNode, root } from './paths.mjs'
import { installRigTools } from './rig-tools.mjs'

try {
  refuseOldNode()
  installDependencies()
  installRigTools()
  const child = spawn(
    ownNode(),
    [join(root, 'test/support/rig/main.ts'), ...process.argv.slice(2)],
    { cwd: root, stdio: 'inherit', env: { ...process.env, OPENCLAW_HQ_INSTALL: root } },
  )
  child.once('error', (error) => {
    console.error(error.message)
    process.exitCode = 1
  })
  child.once('exit', (code) => {
    process.exitCode = code ?? 1
  })
} catch (error) {
  console.error(`\n${error.message}`)
  process.exitCode = 1
}

// Preloaded into a child (--import): ends it with SIGKILL just before its DIE_AT-th change to the disk.
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

let left = Number(process.env.DIE_AT)
for (const name of ['writeSync', 'fsyncSync', 'renameSync']) {
  const real = fs[name]
  fs[name] = (...args) => {
    left -= 1
    if (left === 0) process.kill(process.pid, 'SIGKILL')
    return real(...args)
  }
}
syncBuiltinESMExports()

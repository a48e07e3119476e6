// The part of node:sqlite that ops/base/files/lock uses, within one process.
import { closeSync, openSync } from 'node:fs'

const held = new Set()
const busy = () => Object.assign(new Error('database is locked'), { errcode: 5 })

export class DatabaseSync {
  constructor(file) {
    this.file = file
    this.own = false
  }

  exec(query) {
    if (!query.includes('BEGIN EXCLUSIVE')) return
    if (held.has(this.file)) throw busy()
    held.add(this.file)
    this.own = true
    closeSync(openSync(this.file, 'a'))
  }

  prepare() {
    return {
      get: () => {
        if (held.has(this.file)) throw busy()
      },
    }
  }

  close() {
    if (this.own) held.delete(this.file)
    this.own = false
  }
}

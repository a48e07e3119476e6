// The entry point of hostd. Units of systemd and older releases start it by this path.
import { dirname } from 'node:path'
import { builtProgram } from '#ops/base/process/built-program'

const built = builtProgram(dirname(import.meta.dirname), 'hostd')
await (built === null ? import('./daemon.ts') : import(built))

// The entry point of `hq serve`.
import { dirname } from 'node:path'
import { builtProgram } from '../operator/base/built-program.ts'

const built = builtProgram(dirname(dirname(import.meta.dirname)), 'serve')
await (built === null ? import('./command.ts') : import(built))

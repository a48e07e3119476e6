// The entry point of `hq`. Older releases start newer ones by this path.
import { dirname } from 'node:path'
import { builtProgram } from '#ops/base/process/built-program'

const built = builtProgram(dirname(import.meta.dirname), 'hq')
await (built === null ? import('#ops/cli/main') : import(built))

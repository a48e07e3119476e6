import { join } from 'node:path'

/**
 * Lets the many short programs that tests start load what an earlier one compiled (Node's own cache): about half the
 * CPU of a start. Only tests set it.
 */
export const compileCache = {
  NODE_COMPILE_CACHE: join(process.cwd(), 'node_modules', '.cache', 'node-compile'),
} as const

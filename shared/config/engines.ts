import { z } from 'zod'

/**
 * The engines that can run the services of a project. A new one is a name here; the compiler then insists on its folder
 * and line in `ops/host/engines/registry.ts`.
 */
export const engineName = z.enum(['process', 'compose'])

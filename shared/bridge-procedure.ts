import { z } from 'zod'

/** One procedure of the bridge: what it takes and what it answers. */
export const procedure = <I extends z.ZodType, O extends z.ZodType>(input: I, output: O) => ({
  input,
  output,
})
export const nothing = z.strictObject({})

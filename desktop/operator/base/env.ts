/** The environment of HQ, for the programs that start an operator. */
export { envValue, setVariables, wholeEnvironment } from '#ops/base/env'

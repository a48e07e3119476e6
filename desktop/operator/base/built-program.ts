// The bundle of a program of HQ, for entry points of the desktop.
export { builtProgram } from '#ops/base/process/built-program'

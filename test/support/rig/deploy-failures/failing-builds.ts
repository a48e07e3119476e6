// Deploys that fail: builds.
import { build, shipped, sourceFile, lineNumber, type DeployFailure } from './making.ts'

export const failingBuilds: readonly DeployFailure[] = [
  build('a type checker', (random) => {
    const [file, line] = [sourceFile(random), lineNumber(random)]
    const says = `${file}(${line},${1 + random.below(80)}): error TS2322: Type 'x' is not assignable.`
    return { lines: [says], says, file, line }
  }),
  build('a compiler', (random) => {
    const [file, line] = [sourceFile(random), lineNumber(random)]
    const says = `${file}:${line}:${1 + random.below(80)}: error: ${random.hex(6)} was not declared`
    return { lines: [says, `${file}:${line + 1}:1: error: another`], says, file, line }
  }),
  build('a bundler', (random) => {
    const [file, line] = [sourceFile(random), lineNumber(random)]
    const says = `${file}:${line}: ERROR: ${random.hex(6)} cannot be resolved`
    return { lines: [says], says, file, line }
  }),
  build('a test runner of Python', (random) => {
    const [file, line] = [`tests/test_${random.hex(4)}.py`, lineNumber(random)]
    const says = `${file}:${line}: AssertionError`
    return { lines: ['E       assert 1 == 2', says], says, file, line }
  }),
  build('an exception with its stack', (random) => {
    const [file, line] = [`/srv/${random.hex(5)}.js`, lineNumber(random)]
    const says = `TypeError: ${random.hex(6)} is not a function`
    return {
      lines: [says, `    at run (${file}:${line}:7)`, '    at node:internal/main:1:1'],
      says,
      file,
      line,
    }
  }),
  build('a package manager', (random) => {
    const says = `npm error code E${random.hex(4).toUpperCase()}`
    return { lines: [says, 'npm error more of it'], says }
  }),
  build('a program that only says so', (random) => {
    const says = `fatal: ${random.hex(8)} is not there`
    return { lines: [says], says }
  }),
  {
    name: 'a build of a program that is not there',
    errorClass: 'console_build_failed',
    step: 'console_build',
    plant: (at, random) => {
      const program = `no-such-${random.hex(6)}`
      return shipped(
        at,
        random,
        { config: { build: [{ name: 'page', argv: [program] }] } },
        { says: program },
      )
    },
  },
  {
    name: 'a build that is ended by a signal',
    errorClass: 'console_build_failed',
    step: 'console_build',
    plant: (at, random) => {
      const signal = random.pick(['KILL', 'SEGV', 'ABRT', 'TERM'])
      return shipped(
        at,
        random,
        { config: { build: [{ name: 'page', argv: ['sh', '-c', `kill -${signal} $$`] }] } },
        { says: `SIG${signal}` },
      )
    },
  },
  {
    name: 'a build that takes too long',
    errorClass: 'console_build_failed',
    step: 'console_build',
    plant: (at, random) =>
      shipped(
        at,
        random,
        { config: { build: [{ name: 'page', argv: ['sleep', '600'], timeout_seconds: 1 }] } },
        { says: 'longer than 1 s' },
      ),
  },
]

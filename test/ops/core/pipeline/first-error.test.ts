import { expect, it } from 'vitest'
import { firstError } from '#ops/core/pipeline/first-error'
import { exposureRemedies, remediesOf } from '#ops/platform/net/exposure'

it.each([
  [
    'tsc',
    "build web\nsrc/page.ts(12,5): error TS2322: Type 'string' is not assignable\nsrc/b.ts(1,1): error TS1005: x",
    { line: 2, file: 'src/page.ts', file_line: 12 },
  ],
  [
    'tsc with colours off',
    'src/page.ts:7:3 - error TS2304: Cannot find name',
    { line: 1, file: 'src/page.ts', file_line: 7 },
  ],
  [
    'a C compiler',
    'cc -c a.c\na.c:3:10: fatal error: no.h: No such file',
    { line: 2, file: 'a.c', file_line: 3 },
  ],
  [
    'a Node stack',
    'starting\nTypeError: x is not a function\n    at node:internal/modules:1:1\n    at ' +
      'start (file:///srv/app/server.mjs:42:7)\n',
    { line: 2, file: '/srv/app/server.mjs', file_line: 42 },
  ],
  [
    'a Node syntax error',
    "file:///srv/app/server.mjs:9\nconst = 1\n      ^\n\nSyntaxError: Unexpected token '='",
    { line: 5, file: '/srv/app/server.mjs', file_line: 9 },
  ],
  [
    'a Python traceback',
    'Traceback (most recent call last):\n  File "app.py", line 3, in <module>\n    main()\nValueError: no',
    { line: 4, file: 'app.py', file_line: 3 },
  ],
  [
    'pytest',
    'E  assert 1 == 2\ntests/test_app.py:12: AssertionError',
    { line: 2, file: 'tests/test_app.py', file_line: 12 },
  ],
  [
    'a Docker build of a type error',
    '#9 [web 3/3] RUN tsc\n#9 1.234 src/page.ts(12,5): error TS2322: x\n#9 ERROR: process ' +
      'did not complete\nfailed to solve: process did not complete',
    { line: 2, file: 'src/page.ts', file_line: 12, text: 'src/page.ts(12,5): error TS2322: x' },
  ],
  [
    'a Docker build that misses a file',
    '#10 [web 3/3] COPY a.txt /srv/\n#10 ERROR: "/a.txt" not found: not found\nfailed to solve: "/a.txt" not found',
    { line: 2, file: null, file_line: null, text: 'ERROR: "/a.txt" not found: not found' },
  ],
  [
    'a Dockerfile that is none',
    '#1 DONE 0.0s\nfailed to solve: dockerfile parse error line 8: unknown instruction: XNOPE',
    { line: 2, file: 'Dockerfile', file_line: 8 },
  ],
  [
    'Compose',
    'validating /srv/compose.yaml: services.web Additional property x is not allowed',
    { line: 1, file: null, file_line: null },
  ],
  [
    'a compose file that is no YAML',
    'building\nyaml: line 2: did not find expected node content',
    { line: 2, file: null, file_line: null },
  ],
  ['npm', 'npm error code E404\nnpm error 404 Not Found', { line: 1, file: null, file_line: null }],
  ['git', 'fatal: unable to access', { line: 1, file: null, file_line: null }],
  [
    "nothing known, so HQ's own closing line",
    'no errors found\nall good\nservice_unhealthy: Service app is not healthy',
    { line: 3, file: null, file_line: null },
  ],
  ['nothing at all, so the last line', 'one\ntwo\n', { line: 2, file: null, file_line: null }],
])('the first error in the log of %s is found', (_what, text, expected) => {
  const found = firstError(text)
  expect(found).toMatchObject({ text: text.split('\n')[expected.line - 1]?.trim(), ...expected })
})

it('the remedies of a refused compose file are not taken for what it was refused for', () => {
  const found = Object.keys(exposureRemedies).map((code) => ({
    service: 'web',
    detail: 'is open',
    pointer: 'compose.yaml#/services/web',
    subject: '80',
    code: code as keyof typeof exposureRemedies,
  }))
  const text = [...remediesOf(found), 'public_port: web: is open. Nothing was built.'].join('\n')
  expect(firstError(text)?.text).toBe('public_port: web: is open. Nothing was built.')
})

it('an empty log has no error', () => expect(firstError('')).toBeNull())

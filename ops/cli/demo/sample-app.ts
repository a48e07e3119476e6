/** Which runner the sample's tests use: pytest where Python has it, else Node's own. */
export type SampleTestRunner = 'pytest' | 'node'

const server = `// A small web app without dependencies. The process that starts it sets PORT and OPENCLAW_GIT_HEAD.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { greeting } from './greeting.mjs'

const commit = process.env.OPENCLAW_GIT_HEAD ?? null
const page = () =>
  readFileSync('dist/index.html', 'utf8')
    .replace('{{greeting}}', greeting('operator'))
    .replace('{{commit}}', (commit ?? 'local').slice(0, 7))

createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://localhost')
  const json = (status, body) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  if (pathname === '/api/health') return json(200, { ok: true, commit })
  if (pathname === '/api/greeting') return json(200, { ok: true, greeting: greeting('operator') })
  if (pathname === '/')
    return response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page())
  return json(404, { ok: false })
}).listen(Number(process.env.PORT ?? 3000), process.env.HOST ?? '127.0.0.1')
`

const greeting = `export const greeting = (name) => \`Hello, \${name}.\`
`

const build = `// Makes dist/ from page.html. A page without its two marks is an error, so that a
// broken page never replaces a good one.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'

const page = readFileSync('page.html', 'utf8')
for (const mark of ['{{greeting}}', '{{commit}}']) {
  if (!page.includes(mark)) {
    console.error(\`page.html:1: error: the mark \${mark} is missing\`)
    process.exit(1)
  }
}
mkdirSync('dist', { recursive: true })
writeFileSync('dist/index.html', page)
console.log(\`built dist/index.html, \${page.length} characters\`)
`

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Sample app</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 20vh auto; max-width: 34rem; padding: 0 1rem }
code { font-size: 0.9em }
</style>
<h1>{{greeting}}</h1>
<p>This is the sample app, deployed by OpenClaw HQ at <code>{{commit}}</code>.</p>
</html>
`

/** The sample's second commit. */
export const firstChange: Record<string, string> = {
  'page.html': page.replace(
    '<p>This is the sample app',
    '<p>Change <code>greeting.mjs</code>, commit it, and press Ship and Deploy+Verify in HQ ' +
      'to see it here.</p>\n<p>This is the sample app',
  ),
}

const nodeTest = `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { greeting } from '../greeting.mjs'

test('greets by name', () => {
  assert.match(greeting('Ada'), /Ada/)
})

test('greets every name differently', () => {
  assert.notEqual(greeting('Ada'), greeting('Grace'))
})
`

const pythonTest = `"""The sample app, tested from outside: each test asks Node for a greeting, as the page does."""
import json
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).parent.parent


def greeting(name: str) -> str:
    script = f"import {{ greeting }} from './greeting.mjs'; console.log(greeting({json.dumps(name)}))"
    command = ["node", "--input-type=module", "-e", script]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return run.stdout.strip()


def test_greets_by_name():
    assert "Ada" in greeting("Ada")


def test_greets_every_name_differently():
    assert greeting("Ada") != greeting("Grace")
`

const nextAction = `# Next action

- Change the greeting in greeting.mjs, commit it, and press Ship.
`

const readme = `# Sample app

The app of the local demo of OpenClaw HQ. Change \`greeting.mjs\`, its tests and \`page.html\` as
you like, commit on \`main\`, then press Ship and Deploy+Verify in HQ. A failing test, a skipped test
or a page without its marks is stopped before it replaces the running version.
`

const suites = {
  pytest: {
    name: 'pytest',
    argv: [
      'python3',
      '-m',
      'pytest',
      '-q',
      '-p',
      'no:cacheprovider',
      '--junitxml=reports/junit.xml',
      'tests',
    ],
    report: { format: 'junit', path: 'reports/junit.xml' },
  },
  node: {
    name: 'node',
    argv: [
      'node',
      '--test',
      '--test-reporter=junit',
      '--test-reporter-destination=junit.xml',
      'tests/greeting.test.mjs',
    ],
    report: { format: 'junit', path: 'junit.xml' },
  },
} as const

/** The HQ that ships tests its own guards; the report is not a file of the sample. */
const selftests = {
  name: 'ops_selftests',
  argv: ['hq', 'selftest', '--junit', 'reports/ops_selftests.xml'],
  report: { format: 'junit', path: 'reports/ops_selftests.xml' },
  timeout_seconds: 300,
} as const

/**
 * The files of the sample repository by path.
 * @param port where the app listens unless host.json names another port
 */
export function sampleAppFiles({
  testRunner,
  port,
}: {
  testRunner: SampleTestRunner
  port: number
}): Record<string, string> {
  const config = {
    schema_version: 1,
    project: 'sample-app',
    branch: 'main',
    engine: 'process',
    tests: [{ ...suites[testRunner], timeout_seconds: 120 }, selftests],
    build: [{ name: 'page', argv: ['node', 'build.mjs'], timeout_seconds: 60 }],
    services: [
      {
        name: 'sample-app',
        argv: ['node', 'server.mjs'],
        port,
        health: { path: '/api/health', commit_field: 'commit', timeout_seconds: 20 },
      },
    ],
    endpoints: [
      { service: 'sample-app', path: '/api/health' },
      { service: 'sample-app', path: '/api/greeting' },
    ],
    routes: [{ path: '/api/status' }, { path: '/api/project/state' }],
  }
  return {
    'openclaw.config.json': `${JSON.stringify(config, null, 2)}\n`,
    'server.mjs': server,
    'greeting.mjs': greeting,
    'build.mjs': build,
    'page.html': page,
    ...(testRunner === 'pytest'
      ? { 'tests/test_greeting.py': pythonTest }
      : { 'tests/greeting.test.mjs': nodeTest }),
    'docs/OPENCLAW_NEXT.md': nextAction,
    'README.md': readme,
    '.gitignore': 'dist/\nreports/\njunit.xml\n__pycache__/\n',
  }
}

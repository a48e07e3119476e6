import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { newKeyPem } from '#ops/core/trust/signing-key'
import { marker } from '#ops/base/redact/redactor'
import { readRunResult } from '#ops/host/runner/run-files'
import {
  allFiles,
  scriptedInstall,
  startHostd,
  testHost,
  until,
  type TestHost,
  type TestHostd,
} from '../support/hostd.ts'
import { canaryFiles, encodedCanaries, leaksIn } from '../support/leaks.ts'

const pem = newKeyPem().trim()

/** An action that forgets everything: it writes secrets byte by byte to both outputs, and into every kind of event. */
const leaky = `
import { writeSync } from 'node:fs'
import { emit, log, finish } from './kit.mjs'
const secrets = ${JSON.stringify(encodedCanaries)}
emit({ type: 'run_started', action: 'doctor', steps: ['one', secrets[0]] })
const slowly = (fd, text) => { for (const byte of Buffer.from(text)) writeSync(fd, Buffer.from([byte])) }
for (const [at, secret] of secrets.entries()) {
  slowly(1 + at % 2, 'start ' + at + ' ' + secret + ' end\\n')
  log('event ' + at + ' ' + secret + ' end')
}
for (const fd of [1, 2]) writeSync(fd, '\\u001b[31mred ?token=abcdef123456\\u001b[0m plain\\n')
slowly(1, ${JSON.stringify(`${pem}\n`)})
for (const line of ${JSON.stringify(pem.split('\n'))}) log(line)
writeSync(3, 'this is no event: ' + 'x'.repeat(170) + secrets[0] + '\\n')
emit({ type: 'step_started', step: secrets[8] })
emit({
  type: 'step_finished', step: 'one', status: 'failed', duration_ms: 1,
  detail: 'refused ' + secrets[1], error_class: 'doctor_failed',
})
writeSync(1, 'sha 0123456789abcdef0123456789abcdef01234567 without end ' + secrets[3])
finish('FAIL', {
  error_class: 'doctor_failed', next_auto_fix: 'follow_doctor',
  detail: 'https://user:' + encodeURIComponent(secrets[0]) + '@host.invalid/?token=' + secrets[0],
  artifacts: { [secrets[2]]: secrets[2] },
})
`

let dir: string
let host: TestHost
let hostd: TestHostd

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'openclaw-scripted-'))
  host = testHost({
    install: scriptedInstall(dir, {
      doctor: leaky,
      dod:
        `await import('node:fs').then(({ writeSync }) => { const bytes = Buffer.alloc(1 << 20, ` +
        `'x'.repeat(1023) + '\\n'); ` +
        'for (let n = 0; n < 64; n += 1) for (let done = 0; ' +
        'done < bytes.length;) done += writeSync(1, bytes, done) }); ' +
        `(await import('./kit.mjs')).finish('PASS')`,
    }).install,
  })
  const connectors = join(host.paths.etc, 'secrets', 'soma_kajabi')
  mkdirSync(connectors)
  for (const [name, text] of Object.entries(canaryFiles()))
    writeFileSync(join(connectors, name), text, { mode: 0o640 })
  hostd = await startHostd(host)
})
afterEach(async () => {
  await hostd.kill()
  await host.remove()
  rmSync(dir, { recursive: true, force: true })
})

async function runToEnd(action: string): Promise<string> {
  const { body } = await hostd.request('/api/exec', { method: 'POST', body: { action } })
  const id = String(body['run_id'])
  await until(`${action} to end`, () => readRunResult(host.paths, id), 250)
  return id
}

const stream = async (id: string): Promise<string> =>
  await (
    await fetch(`${hostd.url}/api/runs/${id}/events`, {
      headers: { 'x-openclaw-admin-token': host.token },
    })
  ).text()

describe('secrets that an action of this host writes', () => {
  it('are in no artifact, log, index, event stream or answer, in no encoding, wherever the bytes are cut', async () => {
    const id = await runToEnd('doctor')
    const run = await until('the run to be closed', async () => {
      const { body } = await hostd.request(`/api/runs?id=${id}`)
      return JSON.stringify(body).includes('"failed"') ? body : null
    })
    const events = await stream(id)
    const shown = {
      events,
      run: JSON.stringify(run),
      runs: JSON.stringify((await hostd.request('/api/runs')).body),
      status: JSON.stringify((await hostd.request('/api/status')).body),
      hostd: hostd.said(),
    }
    const kept = allFiles(host.dir).filter(({ path }) => !path.startsWith(host.paths.etc))
    expect(kept.some(({ path }) => path.endsWith('log.ndjson'))).toBe(true)
    expect(
      [...Object.entries(shown), ...kept.map(({ path, text }) => [path, text] as const)].flatMap(
        ([name, text]) => leaksIn(name, text),
      ),
    ).toEqual([])
    const everything = [...Object.values(shown), ...kept.map(({ text }) => text)].join('\n')
    for (const line of pem.split('\n').filter((each) => !each.startsWith('-----')))
      expect(everything).not.toContain(line)

    // And what was round them is still there, each line once, in order, with its colours.
    const texts = [...events.matchAll(/^data: (.*)$/gm)]
      .map(([, json = '']) => JSON.parse(json) as { seq?: number; text?: string; stream?: string })
      .filter(({ seq }) => seq !== undefined)
    expect(texts.map(({ seq }) => seq)).toEqual(texts.map((_, index) => index + 1))
    for (const kind of ['stdout', 'stderr']) {
      const started = texts
        .filter((each) => each.stream === kind)
        .flatMap(({ text = '' }) => /^start (\d+) .*end$/.exec(text)?.[1] ?? [])
        .map(Number)
      expect(started).toEqual(
        encodedCanaries.map((_, at) => at).filter((at) => at % 2 === (kind === 'stdout' ? 0 : 1)),
      )
      expect(texts.find((each) => each.stream === kind && each.text?.includes('plain'))?.text).toBe(
        `\u001b[31mred ?token=${marker}\u001b[0m plain`,
      )
    }
    expect(texts.some(({ text }) => text === `start 0 ${marker} end`)).toBe(true)
    expect(
      texts.some(
        ({ text }) => text === `sha 0123456789abcdef0123456789abcdef01234567 without end ${marker}`,
      ),
    ).toBe(true)
  })

  it('do not keep the runner from streaming 64 MB', async () => {
    const id = await runToEnd('dod')
    expect(readRunResult(host.paths, id)).toMatchObject({ overall: 'PASS', error_class: null })
    const log = allFiles(join(host.paths.runs, id)).find(({ path }) => path.endsWith('log.ndjson'))
    expect(log?.text.split('x'.repeat(1023)).length).toBe(64 * 1024 + 1)
  })
})

describe('a token that is set while hostd runs', () => {
  it('is kept out of what hostd says from its first use on', async () => {
    const fresh = 'fresh-admin-token-0815-4711'
    writeFileSync(host.paths.tokenFile, fresh)
    chmodSync(host.paths.tokenFile, 0o640)
    const { status, body } = await hostd.request('/api/exec', {
      method: 'POST',
      token: fresh,
      body: { action: 'doctor', params: { [fresh]: 1 } },
    })
    expect(status).toBe(400)
    expect(JSON.stringify(body)).toContain(marker)
    expect(JSON.stringify(body)).not.toContain(fresh)
  })
})

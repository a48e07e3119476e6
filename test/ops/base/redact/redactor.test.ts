import { readFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { newKeyPem } from '#ops/core/trust/signing-key'
import { createRedactor, marker, type ChunkRedactor } from '#ops/base/redact/redactor'
import { formatRules } from '#ops/base/redact/secret-formats'
import { canaries, encodings, innerForm, oddEncodings } from './canaries.ts'

const all = (redactor: ChunkRedactor, chunks: readonly Buffer[]): Buffer =>
  Buffer.concat([...chunks.map((chunk) => redactor.push(chunk)), redactor.end()])

describe('secrets that are loaded', () => {
  const redactor = createRedactor({ secrets: canaries })

  for (const [name, encode] of Object.entries(encodings)) {
    it(`are kept out of child output in ${name}, wherever a chunk is cut`, () => {
      for (const secret of canaries) {
        const encoded = encode(secret)
        const line = Buffer.from(`before ${encoded} after é\n`)
        const forbidden = Buffer.from(innerForm(name, encoded))
        const wanted = redactor.text(`before ${encoded} after é\n`)
        expect(wanted, secret).toContain(marker)
        expect(wanted, secret).not.toContain(forbidden.toString())
        expect(wanted).toMatch(/^before .* after é\n$/)
        for (let cut = 0; cut <= line.length; cut += 1) {
          const out = all(redactor.bytes(), [line.subarray(0, cut), line.subarray(cut)])
          if (out.includes(forbidden) || out.toString() !== wanted)
            expect.fail(`${secret} in ${name}, cut at ${cut}: ${out.toString()}`)
        }
        expect(
          all(
            redactor.bytes(),
            [...line].map((byte) => Buffer.from([byte])),
          ).toString(),
        ).toBe(wanted)
      }
    })
  }

  it.each(Object.entries(oddEncodings))(
    'are kept out of a text in an encoding that is met less often: %s',
    (_, encode) => {
      for (const canary of canaries) {
        const out = redactor.text(`before ${encode(canary)} after`)
        expect(out).toContain('[redacted]')
        // What may be left is the end of its last group, or a last line that is shorter than any form.
        expect(
          out
            .replaceAll('[redacted]', '')
            .replace(/^before /, '')
            .replace(/ after$/, '')
            .trim().length,
        ).toBeLessThan(12)
      }
    },
  )

  it('are found in the middle of a longer base64 text, at every alignment', () => {
    for (const secret of canaries) {
      for (let before = 0; before < 6; before += 1) {
        const encoded = Buffer.concat([
          Buffer.alloc(before, 0x51),
          Buffer.from(secret),
          Buffer.from('tail'),
        ]).toString('base64')
        const out = redactor.text(encoded)
        const rest = Buffer.from(out.replaceAll(marker, ''), 'base64').toString('latin1')
        expect(out).toContain(marker)
        expect(rest).not.toContain(Buffer.from(secret).toString('latin1').slice(2, -2))
      }
    }
  })

  it('are found in a line without end of several megabytes, with bounded memory', () => {
    const secret = canaries[4] ?? ''
    const filler = Buffer.from('0123456789 é '.repeat(1000))
    const redacting = redactor.bytes()
    const before = process.memoryUsage().arrayBuffers
    let out = 0
    let kept = ''
    for (let n = 0; n < 400; n += 1) {
      const part = redacting.push(
        n % 7 === 3 ? Buffer.concat([filler, Buffer.from(secret), filler]) : filler,
      )
      out += part.length
      kept = `${kept.slice(-200)}${part.toString('latin1')}`
      expect(kept).not.toContain(secret)
      kept = kept.slice(-200)
    }
    expect(out).toBeGreaterThan(5_000_000)
    expect(redacting.end().toString('latin1')).not.toContain(secret)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024)
  })

  it('leave bytes that are not text unchanged', () => {
    const noise = Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x0a, 0xc3, 0x28, 0x0d, 0x0a, 0xf0, 0x9f])
    expect(all(redactor.bytes(), [noise.subarray(0, 3), noise.subarray(3)])).toEqual(noise)
    const mixed = Buffer.concat([
      Buffer.from([0xff]),
      Buffer.from(canaries[8] ?? ''),
      Buffer.from('\n'),
    ])
    expect(all(redactor.bytes(), [mixed])).toEqual(
      Buffer.concat([Buffer.from([0xff]), Buffer.from(`${marker}\n`)]),
    )
  })

  it('are kept out of JSON documents, which stay JSON', () => {
    const [token = '', , awkward = ''] = canaries
    const document = {
      message: `refused ${token}`,
      [awkward]: 1,
      nested: [{ url: `https://h/?t=${encodeURIComponent(awkward)}` }, null, true, 7],
      Authorization: 'Basic eA==',
      'Set-Cookie': ['a=1', 'b=2'],
    }
    const clean = redactor.json(document)
    expect(clean).toEqual({
      message: `refused ${marker}`,
      [marker]: 1,
      nested: [{ url: expect.not.stringContaining(encodeURIComponent(awkward)) }, null, true, 7],
      Authorization: marker,
      'Set-Cookie': [marker, marker],
    })
    const line = JSON.stringify(document)
    expect(() => JSON.parse(redactor.text(line)) as unknown).not.toThrow()
    for (const secret of [token, JSON.stringify(awkward).slice(1, -1)])
      expect(redactor.text(line)).not.toContain(secret)
  })

  it('are refused when they cannot be distinguished from other text', () => {
    expect(() => createRedactor({ secrets: ['abc'] })).toThrow(
      expect.objectContaining({ errorClass: 'config_invalid' }),
    )
    expect(() => createRedactor({ secrets: ['redacted'] })).toThrow(
      expect.objectContaining({ errorClass: 'config_invalid' }),
    )
  })

  it('go through a stream as well', async () => {
    const text = canaries.map((secret) => `x ${secret} y`).join('\n')
    const out = (
      await buffer(
        Readable.from([...Buffer.from(text)].map((byte) => Buffer.from([byte]))).pipe(
          redactor.stream(),
        ),
      )
    ).toString()
    for (const secret of canaries) expect(out).not.toContain(secret)
    expect(out.split('\n')).toHaveLength(canaries.length)
  })
})

describe('secrets that nobody named', () => {
  const redactor = createRedactor()
  // Put together here, so that no file of the repository holds what looks like a secret.
  const letters = 'aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY1zA3bC5d'
  const formats: Readonly<Record<string, string>> = {
    github: `ghp_${letters.slice(0, 36)}`,
    slack: `xoxb-${'1'.repeat(12)}-${'2'.repeat(12)}-${letters.slice(0, 24)}`,
    gitlab: `glpat-${letters.slice(0, 20)}`,
    npm: `npm_${letters.slice(0, 36)}`,
    anthropic: `sk-ant-api03-${letters.repeat(3).slice(0, 93)}AA`,
    sendgrid: `SG.${letters.slice(0, 22)}.${letters}xyz`,
    huggingface: ['hf', 'abcdefghijklmnopqrstuvwxyzABCDEFGH'].join('_'),
  }

  it('uses the text rules of the maintained list', () =>
    expect(formatRules).toBeGreaterThanOrEqual(20))

  for (const [name, secret] of Object.entries(formats)) {
    it(`are known by their format: ${name}`, () => {
      expect(redactor.text(`token is ${secret} here`)).toBe(`token is ${marker} here`)
      expect(JSON.parse(redactor.text(JSON.stringify({ a: `x ${secret}`, b: 1 })))).toEqual({
        a: `x ${marker}`,
        b: 1,
      })
    })
  }

  it.each([
    ['Authorization: Bearer abcdefghijklmnop', 'Authorization: Bearer [redacted]'],
    ['proxy-authorization=Basic dXNlcjpwYXNz', 'proxy-authorization=Basic [redacted]'],
    ['X-OpenClaw-Admin-Token: 0123456789abcdef', 'X-OpenClaw-Admin-Token: [redacted]'],
    ['Set-Cookie: sid=abc123; Path=/; HttpOnly', 'Set-Cookie: [redacted]'],
    ['GET /cb?code=1&access_token=abcdefgh&x=1', 'GET /cb?code=1&access_token=[redacted]&x=1'],
    ['{"refresh_token":"short","n":1}', '{"refresh_token":"[redacted]","n":1}'],
    [
      '{"log":"{\\"client_secret\\":\\"abcdef\\",\\"n\\":1}"}',
      '{"log":"{\\"client_secret\\":\\"[redacted]\\",\\"n\\":1}"}',
    ],
    [
      '\u001b[31mGET /x?token=abcdefgh\u001b[0m done',
      '\u001b[31mGET /x?token=[redacted]\u001b[0m done',
    ],
    ['\u001b[31mCookie: sid=abc123\u001b[0m done', '\u001b[31mCookie: [redacted]\u001b[0m done'],
    [
      'cloning https://bob:hunter2hunter2@git.invalid/x.git',
      'cloning https://bob:[redacted]@git.invalid/x.git',
    ],
    [
      '//registry.invalid/:_authToken=0123456789abcdef0123',
      '//registry.invalid/:_authToken=[redacted]',
    ],
    [`AWS_SECRET_ACCESS_KEY="${letters}"`, 'AWS_SECRET_ACCESS_KEY="[redacted]"'],
  ])('are known by their place: %s', (text, wanted) => expect(redactor.text(text)).toBe(wanted))

  it('a log cannot switch a rule off', () => {
    expect(redactor.text(`/* secretlint-disable */ ${formats['github']}`)).toBe(
      `/* secretlint-disable */ ${marker}`,
    )
  })

  it('are known as private keys, over lines, in one JSON string, and cut anywhere', () => {
    const pem = newKeyPem()
    const body = pem.split('\n')[1] ?? ''
    const long =
      `-----BEGIN RSA PRIVATE KEY-----\n` +
      `Proc-Type: 4,ENCRYPTED\n` +
      `\n` +
      `${Array.from({ length: 20 }, () => letters.slice(0, 64).padEnd(64, 'Q')).join('\n')}\n` +
      `QQ==\n` +
      '-----END RSA PRIVATE KEY-----'
    for (const key of [pem.trim(), long]) {
      const text = `key follows\n${key}\nand then this\n`
      const out = redactor.text(text)
      for (const line of key.split('\n'))
        if (line.length > 3 && !line.includes(':')) expect(out).not.toContain(line)
      expect(out).toMatch(/^key follows\n[^]*\nand then this\n$/)
      const bytes = Buffer.from(text)
      for (let cut = 0; cut <= bytes.length; cut += 13)
        expect(
          all(redactor.bytes(), [bytes.subarray(0, cut), bytes.subarray(cut)]).toString(),
        ).toBe(out)
      const lines = redactor.lines()
      expect(
        text
          .split('\n')
          .map((line) => lines(line))
          .join('\n'),
      ).toBe(out)
    }
    expect(redactor.text(JSON.stringify({ key: pem, n: 1 }))).not.toContain(body)
    expect(JSON.parse(redactor.text(JSON.stringify({ key: pem, n: 1 })))).toMatchObject({ n: 1 })
    expect(
      redactor.text('it prints -----BEGIN PRIVATE KEY----- first\nand goes on with sense\n'),
    ).toBe('it prints [redacted] first\nand goes on with sense\n')
  })
})

describe('the marker', () => {
  it('matches no rule: redacting again changes nothing', () => {
    const redactor = createRedactor({ secrets: canaries })
    expect(redactor.text(marker)).toBe(marker)
    const around = [
      'Authorization: Bearer ',
      'cookie: a=',
      '"password":"',
      'postgres://bob:',
      '?token=',
      '_authToken=',
      'https://bob:',
      '-----BEGIN PRIVATE KEY-----\n',
      'x=',
      '',
    ]
    for (const before of around) {
      for (const secret of canaries) {
        for (const encode of Object.values(encodings)) {
          const once = redactor.text(
            `${before}${encode(secret)}@host.invalid/db" and\nmore ${secret}`,
          )
          expect(redactor.text(once)).toBe(once)
        }
      }
    }
  })

  it('is not put into ordinary log lines', () => {
    const redactor = createRedactor({ secrets: canaries })
    const lock = readFileSync('package-lock.json', 'utf8')
    expect(redactor.text(lock) === lock).toBe(true)
    for (const line of [
      'deploy 20261123T004402Z-0a1b2c3d of 6f1c2a34-9b7e-4c55-8d21-0123456789ab',
      `  "cookie": "^2.0.0",`,
      '\u001b[32m✓\u001b[39m a\u001b[2m (3 tests)\u001b[22m',
      'tests = 12, token: 4, secret_in_diff',
      '▸ Tests',
      'PASS src/a.test.ts (12 ms)',
      'fetch https://example.test/a?b=1',
      'commit 0123456789abcdef0123456789abcdef01234567',
      '{"seq":1,"type":"log","text":"token count 12","usage":{"input_tokens":10}}',
      'the password is asked for once',
      `sha256 ${'ab'.repeat(32)}`,
    ]) {
      expect(redactor.text(line)).toBe(line)
    }
  })
})

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { knowSecrets } from '#ops/base/redact/redaction'
import { logger, logToStderr } from '../../../hostd/log/log.ts'

const token = 'the-admin-token-0815-4711'
const write = process.stderr.write.bind(process.stderr)
let lines: string[]

beforeEach(() => {
  knowSecrets([token])
  lines = []
  process.stderr.write = (line: string) => lines.push(line) > 0
})
afterEach(() => {
  process.stderr.write = write
})

describe('the log of hostd', () => {
  it('is one JSON object a line, with the name of the event, its time and its facts', () => {
    logToStderr('run_requested', { run_id: 'x', action: 'doctor' })
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/\n$/)
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
      event: 'run_requested',
      run_id: 'x',
      action: 'doctor',
    })
  })

  it('leaves requests, replies and secrets out of what Fastify logs', () => {
    const headers = { 'x-openclaw-admin-token': token }
    const err = new Error(`failed with ${token}`)
    logger.error({ req: { headers }, res: { headers }, err }, `request with ${token} failed`)
    logger.child({ reqId: 'req-1' }).warn({ req: { headers } }, 'twice')
    expect(lines).toHaveLength(2)
    expect(lines.join('')).not.toContain(token)
    expect(lines.join('')).not.toContain('x-openclaw-admin-token')
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'error',
      stack: expect.any(String) as string,
    })
    expect(lines[0]).toContain('failed with ')
    expect(lines[1]).toContain('twice')
  })
})

import { once } from 'node:events'
import { PassThrough, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { sendBody } from '#ops/host/runner/request-body'

describe('the body of a request to the runner', () => {
  it('arrives as it is sent, piece by piece', async () => {
    const to = new PassThrough()
    const body = new PassThrough()
    sendBody(body, to)
    body.write('one ')
    body.end('two')
    expect(await text(to)).toBe('one two')
  })

  it('ends without its end when its sender goes away', async () => {
    const to = new PassThrough()
    const body = new PassThrough()
    sendBody(body, to)
    body.write('one')
    body.destroy()
    await once(to, 'close')
    expect(to.readableEnded).toBe(false)
  })

  it('leaves the connection of its sender when the runner ends early', async () => {
    const to = new Writable({ write: (_piece, _encoding, done) => done(new Error('EPIPE')) })
    to.on('error', () => undefined)
    const body = new PassThrough()
    sendBody(body, to)
    body.write('one')
    await expect(once(to, 'close')).rejects.toThrow('EPIPE')
    expect(body.destroyed).toBe(false)
  })
})

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../patience.ts'
import { packageInside } from '../rig.ts'
import type { Certificate } from './authority.ts'
import type { Tailnet } from './tailnet.ts'

/**
 * What Serve is with Tailscale's own service: a proxy to hostd with a certificate for the name of the host. headscale
 * has none, so it runs in the machine, published as plain TCP.
 */
export interface TlsFront {
  /** Address of hostd behind it. */
  readonly url: string
  /** @param seconds the clock of the host is ahead by */
  show(which: 'valid' | 'self-signed' | 'of another name', seconds?: number): Promise<void>
}

const port = 8444
const inside = '/run/front'
const script = `
const { readFileSync } = require('node:fs')
const { createServer } = require('node:https')
const { request } = require('node:http')
const ahead = Number(process.argv[1])
const shift = (_all, time) => '"time":"' + new Date(Date.parse(time) + ahead).toISOString() + '"'
const files = { cert: readFileSync('${inside}/cert.pem'), key: readFileSync('${inside}/key.pem') }
createServer(files, (asked, answer) => {
  const { connection, host, ...headers } = asked.headers
  headers.host = host.split(':')[0] // as Serve at the usual port
  const to = { port: 8877, path: asked.url, method: asked.method, headers, agent: false }
  const forward = request(to, (came) => {
    let text = ''
    came.setEncoding('utf8').on('data', (part) => { text += part })
    came.on('end', () => {
      const body = Buffer.from(text.replace(/"time":"([^"]+)"/g, shift))
      answer.writeHead(came.statusCode, { ...came.headers, 'content-length': body.length })
      answer.end(body)
    })
  })
  forward.on('error', () => answer.destroy())
  asked.pipe(forward)
}).listen(4443, '127.0.0.1')`

export async function startFront({ rig, aiops, control, dnsName }: Tailnet): Promise<TlsFront> {
  const { authority } = control
  const certificates = {
    valid: await authority.issue('valid', `DNS:${dnsName}`),
    'self-signed': await authority.selfSigned('self-signed', `DNS:${dnsName}`),
    'of another name': await authority.issue('of another name', 'DNS:other.hq.test'),
  }
  const put = async ({ cert, key }: Certificate): Promise<void> => {
    await rig.write(join(inside, 'cert.pem'), readFileSync(cert, 'utf8'))
    await rig.write(join(inside, 'key.pem'), readFileSync(key, 'utf8'), 0o600)
  }
  const node = `${packageInside}/node_modules/.bin/node`
  // A unit that was stopped keeps its name for a moment.
  let starts = 0
  const front: TlsFront = {
    url: `https://${dnsName}:${port}`,
    show: async (which, seconds = 0) => {
      if (starts > 0) await rig.must(['systemctl', 'stop', `front-${starts}`])
      starts += 1
      await put(certificates[which])
      const start = ['systemd-run', '--quiet', '--collect', `--unit=front-${starts}`]
      await rig.must([...start, node, '-e', script, String(seconds * 1000)])
      await until('the proxy with a certificate', async () => {
        const ask = ['curl', '-sk', '-o', '/dev/null', 'https://127.0.0.1:4443/health']
        return (await rig.exec(ask)).code === 0
      })
    },
  }
  await front.show('valid')
  await aiops.tailscale('serve', '--bg', `--tcp=${port}`, 'tcp://127.0.0.1:4443')
  return front
}

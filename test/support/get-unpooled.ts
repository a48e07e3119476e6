import { get } from 'node:http'

/**
 * `GET` over a connection of its own: a kept one may lead to what was just replaced, or be closed by the other side at
 * that moment.
 */
export const getUnpooled = (port: number, path: string): Promise<string> =>
  new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, agent: false }, (answer) => {
      let text = ''
      answer
        .setEncoding('utf8')
        .on('data', (chunk: string) => {
          text += chunk
        })
        .once('end', () => resolve(text))
        .once('error', reject)
    }).once('error', reject)
  })
